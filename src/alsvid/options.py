"""The one declaration of a setting.

A layer that reads a setting declares it as a field of its own frozen-by-convention dataclass (as nginx's
modules own their directives); flags, environment names, file keys, validation, `--print-config` and the
options page are generated from it. This module is a leaf: it imports nothing of the project.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

METADATA_KEY = "alsvid.option"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What is known of a setting besides its name, type and default.

    flags       accepted spellings, ours first: ("--keep-alive", "--timeout-keep-alive"); a bool has its
                "--no-…" form generated for every spelling.
    doc         one sentence for --help and the options page.
    unit        "s", "octets", "" …
    danger      what raising (or changing) it risks; "" when nothing.
    choices     the accepted words, or ().
    parse       text -> value where the field's type does not say it; raises ValueError with what is right.
    multiple    the flag may be repeated; the field is a tuple.
    env         environment names honoured besides ALSVID_<NAME>, e.g. ("WEB_CONCURRENCY",).
    minimum     smallest accepted number, or None; `maximum` likewise.
    zero_is_off True where 0 means "no limit" / "switched off"; the options page says so.
    secret      --print-config shows "***".
    """

    flags: tuple[str, ...]
    doc: str
    unit: str = ""
    danger: str = ""
    choices: tuple[str, ...] = ()
    parse: Callable[[str], Any] | None = None
    multiple: bool = False
    env: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    zero_is_off: bool = False
    secret: bool = False
    metavar: str = ""


def option(default: Any, *flags: str, doc: str, **more: Any) -> Any:
    """Declare a setting; to be used as the default of a dataclass field.

    `default` may be a mutable value's factory (a callable) only for tuples' sake: pass () rather than [].
    """
    declared = Option(flags=flags, doc=doc, **more)
    return dataclasses.field(default=default, metadata={METADATA_KEY: declared})


def declared_options(settings_class: type) -> dict[str, tuple[dataclasses.Field[Any], Option]]:
    """Return the declared settings of a layer's dataclass by field name, in order of declaration."""
    return {
        field.name: (field, field.metadata[METADATA_KEY])
        for field in dataclasses.fields(settings_class)
        if METADATA_KEY in field.metadata
    }

"""The one declaration of a setting.

A layer that reads a setting declares it as a field of its own frozen-by-convention dataclass (as nginx's
modules own their directives); flags, environment names, file keys, validation, `--print-config` and the
options page are generated from it. This module is a leaf: it imports nothing of the project.

    @dataclass(slots=True, kw_only=True)
    class ListenSettings:
        backlog: int = option(2048, "--backlog", doc="Connections that may wait to be accepted.", minimum=1)
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
                "--no-…" form generated for every long spelling. () for a positional argument.
    doc         one or two sentences for --help and the options page.
    unit        "s", "octets", "" …
    danger      what raising (or changing) it risks; "" when nothing.
    choices     the accepted words, or (); letter case of the input does not matter.
    parse       makes and checks the value where the field's type does not say all of it. Called with text or
                with what a file or a caller gave, for a tuple once for each item; raises ValueError whose
                text completes "expected …".
    multiple    the flag may be repeated; the field is a tuple.
    separator   what parts the items of a tuple in one text: in the environment, and in the flag too where it
                is not repeatable.
    env         environment names honoured besides ALSVID_<NAME>, e.g. ("FORWARDED_ALLOW_IPS",).
    in_environment  False where ALSVID_<NAME> is not read.
    minimum     smallest accepted number, or None; `maximum` likewise.
    octal       the number is a file mode: text is read, and shown, in base 8.
    zero_is_off True where 0 means "no limit" / "switched off"; the options page says so.
    secret      --print-config and error texts show "***".
    metavar     what stands for the value in --help; "" for one made from the type.
    """

    flags: tuple[str, ...]
    doc: str
    unit: str = ""
    danger: str = ""
    choices: tuple[str, ...] = ()
    parse: Callable[[Any], Any] | None = None
    multiple: bool = False
    separator: str = ""
    env: tuple[str, ...] = ()
    in_environment: bool = True
    minimum: float | None = None
    maximum: float | None = None
    octal: bool = False
    zero_is_off: bool = False
    secret: bool = False
    metavar: str = ""


def option(default: Any, *flags: str, doc: str, **more: Any) -> Any:
    """Declare a setting; to be used as the default of a dataclass field.

    `default` must be immutable: pass () rather than []. `more` are the fields of `Option`.
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

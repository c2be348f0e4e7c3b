"""All declared settings in one list: which layer's group each belongs to, and every name it goes by.

Owns the composition alone. It reads no source and checks no value; a setting is added in its layer's own
settings module and appears here by itself.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from alsvid.asgi.settings import AsgiSettings, ForwardedSettings
from alsvid.net.settings import ConnectionSettings, ListenSettings, ProxyProtocolSettings, TlsSettings
from alsvid.observability.settings import LogSettings
from alsvid.options import Option, declared_options
from alsvid.protocol.http.settings import HttpSettings
from alsvid.protocol.http1.settings import Http1Settings
from alsvid.server.settings import ApplicationSettings, ProcessSettings

ENVIRONMENT_PREFIX = "ALSVID_"

# Attribute of Settings -> (dataclass of the layer, heading in --help and on the options page), in that order.
GROUPS: dict[str, tuple[type, str]] = {
    "application": (ApplicationSettings, "Application"),
    "listen": (ListenSettings, "Listening"),
    "process": (ProcessSettings, "Process"),
    "asgi": (AsgiSettings, "ASGI"),
    "connection": (ConnectionSettings, "Connections"),
    "http": (HttpSettings, "HTTP"),
    "http1": (Http1Settings, "HTTP/1.1"),
    "tls": (TlsSettings, "TLS"),
    "forwarded": (ForwardedSettings, "Forwarded headers"),
    "proxy_protocol": (ProxyProtocolSettings, "PROXY protocol"),
    "log": (LogSettings, "Logs"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Declared:
    """One setting: its name, where it lives, and its declaration. `kind` is the annotation as written."""

    name: str
    group: str
    kind: str
    default: Any
    option: Option

    @property
    def flag(self) -> str:
        """What the setting is called towards a user: its first flag, or the name of the argument."""
        return self.option.flags[0] if self.option.flags else self.option.metavar

    @property
    def is_bool(self) -> bool:
        return self.kind in ("bool", "bool | None")

    @property
    def is_tuple(self) -> bool:
        return self.kind.startswith("tuple[")

    @property
    def environment_names(self) -> tuple[str, ...]:
        """ALSVID_<NAME> for each of `names`, then what else is honoured; () where none is read."""
        if not self.option.in_environment:
            return ()
        return (*(ENVIRONMENT_PREFIX + name.upper() for name in self.names), *self.option.env)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name as a keyword or key of a file: ours first, then one for each long flag."""
        spelled = [key_of_flag(flag) for flag in self.option.flags if flag.startswith("--")]
        return tuple(dict.fromkeys((self.name, *spelled)))


def key_of_flag(flag: str) -> str:
    """Return the key that a flag, or a key written with hyphens, stands for: "--log-level" -> "log_level"."""
    return flag.lstrip("-").replace("-", "_")


def _collect() -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    for group, (settings_class, _) in GROUPS.items():
        for name, (field, option) in declared_options(settings_class).items():
            # Flat names are unique over all layers: a keyword, a flag and a key of a file know no groups.
            assert name not in found, name
            found[name] = Declared(name, group, str(field.type), field.default, option)
    return found


DECLARED: dict[str, Declared] = _collect()

# Every accepted keyword and key -> the setting's name.
NAMES: dict[str, str] = {
    spelled: declared.name for declared in DECLARED.values() for spelled in declared.names
}


def near_matches(word: str, known: list[str], likeness: float = 0.6) -> str:
    """Return "; did you mean …?" for what `word` resembles, or ""."""
    import difflib  # only on the way to an error text

    close = difflib.get_close_matches(word, known, n=3, cutoff=likeness)
    return f"; did you mean {' or '.join(close)}?" if close else ""

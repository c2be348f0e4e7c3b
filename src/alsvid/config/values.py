"""From what was written, on a command line, in a file, in the environment or by a caller, to a value.

Owns conversion, the ranges, and the texts "expected …"; knows neither precedence nor where a value came from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alsvid.config.catalogue import Declared

# ASCII digits alone: int() would also take underscores, other scripts' digits and spaces inside the text.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,9})?")
_OCTAL = re.compile(r"(0o)?[0-7]{1,6}", re.IGNORECASE)
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_UNITS = {"s": "seconds"}


def convert(declared: Declared, value: Any) -> Any:
    """Return the value of the setting that `value` means.

    Raises: ValueError whose text completes "expected …".
    """
    if declared.is_tuple:
        return _items(declared, value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    option = declared.option
    if option.parse is not None:
        return option.parse(value)
    if option.choices:
        return _choice(option.choices, value)
    return _KINDS[declared.kind.removesuffix(" | None")](declared, value)


def _items(declared: Declared, value: Any) -> tuple[Any, ...]:
    parse = declared.option.parse
    assert parse is not None, declared.name
    if isinstance(value, str):
        separator = declared.option.separator
        texts = (item.strip() for item in value.split(separator)) if separator else iter((value,))
        return tuple(parse(item) for item in texts if item)
    if isinstance(value, Mapping):
        value = list(value.items())
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise ValueError("a list")
    return tuple(parse(item) for item in value)


def _choice(choices: tuple[str, ...], value: Any) -> str:
    for word in choices:
        if isinstance(value, str) and value.strip().lower() == word.lower():
            return word
    raise ValueError(f"{', '.join(choices[:-1])} or {choices[-1]}")


def _text(declared: Declared, value: Any) -> str:
    # An empty text is fine where it is what stands without the setting (--app-dir), a slip elsewhere (--uds).
    if not isinstance(value, str) or "\0" in value or (not value and declared.default != ""):
        raise ValueError("text that is not empty")
    return value


def _bool(declared: Declared, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("true or false")


def _int(declared: Declared, value: Any) -> int:
    octal = declared.option.octal
    if isinstance(value, str) and (_OCTAL if octal else _INTEGER).fullmatch(value.strip()):
        number = int(value, 8 if octal else 10)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise ValueError(_expected_number(declared, "a whole number"))
    return int(_in_range(declared, number, "a whole number"))


def _float(declared: Declared, value: Any) -> float:
    if isinstance(value, str):
        written_right = _DECIMAL.fullmatch(value.strip()) is not None
    else:
        written_right = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not written_right:
        raise ValueError(_expected_number(declared, "a number"))
    return _in_range(declared, float(value), "a number")


def _in_range(declared: Declared, number: float, noun: str) -> float:
    option = declared.option
    # Written so that NaN, which compares false with everything, is refused as well; infinity too.
    low = option.minimum is None or number >= option.minimum
    if low and number <= (1e18 if option.maximum is None else option.maximum):
        return number
    raise ValueError(_expected_number(declared, noun))


def _expected_number(declared: Declared, noun: str) -> str:
    option = declared.option
    if option.octal:
        return "a file mode from 0 to 777 in octal, such as 660 on the command line or 0o660 in a file"
    unit = f" of {_UNITS.get(option.unit, option.unit)}" if option.unit else ""
    if option.minimum is None:
        return noun + unit
    if option.maximum is None:
        limits = f", {option.minimum:g} or more"
    else:
        limits = f" from {option.minimum:g} to {int(option.maximum)}"
    return noun + unit + limits + (" (0 switches it off)" if option.zero_is_off else "")


_KINDS: dict[str, Callable[[Declared, Any], Any]] = {
    "str": _text,
    "bool": _bool,
    "int": _int,
    "float": _float,
}


def written(declared: Declared, value: Any) -> str:
    """Return the value as it would stand in alsvid.toml, or "" when it cannot stand there."""
    if value is None or callable(value) or isinstance(value, dict):
        return ""
    if declared.option.secret and value:
        return '"***"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_quoted(_item_text(item)) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and declared.option.octal:
        return f"0o{value:03o}"
    if isinstance(value, (int, float)):
        return f"{value:g}" if value == int(value) and value < 1e6 else repr(value)
    return _quoted(str(value))


def default_text(declared: Declared) -> str:
    """Return the default as a reader wants it: "75 s", "none" for a limit that is off, "" for nothing."""
    option = declared.option
    if option.zero_is_off and declared.default == 0:
        return "none"
    if declared.default is None or declared.default in ((), ""):
        return ""
    if isinstance(declared.default, bool):
        return "on" if declared.default else "off"
    if isinstance(declared.default, tuple):
        return ",".join(map(str, declared.default))
    if isinstance(declared.default, str):
        return declared.default
    text = written(declared, declared.default).removeprefix("0o")  # as a flag takes it
    return f"{text} {option.unit}".strip()


def _item_text(item: Any) -> str:
    if isinstance(item, tuple):
        return ": ".join(part.decode("latin-1") for part in item)
    return str(item)


def _quoted(text: str) -> str:
    import json  # only where values are printed

    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

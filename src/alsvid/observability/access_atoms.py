r"""The language of access log formats: from text to a program of (code, argument) steps.

Owns the names of the atoms and the ready formats; knows nothing of requests. A program is made once, at
start; `access_format` runs it for every request.

    %(h)s  client's host             %(s)s  status (499: no head was sent)   %(T)s  duration, seconds
    %(l)s  always -                  %(B)s  octets of content                %(M)s  duration, milliseconds
    %(u)s  user of basic auth        %(b)s  the same, - for none             %(D)s  duration, microseconds
    %(t)s  [time], common log format %(f)s  Referer                          %(L)s  duration, seconds 0.000123
    %(r)s  request line              %(a)s  User-Agent                       %(p)s  process id
    %(m)s  method                    %(H)s  protocol                         %(X)s  X answer cut short, else +
    %(U)s  path as it came           %(q)s  query as it came                 %%     a percent sign
    %({name}i)s  request field   %({name}o)s  response field   %({NAME}e)s  CGI variable, else the process's

The letters mean what they mean in Gunicorn, X is httpd's.
"""

from __future__ import annotations

import os
import re

from alsvid.errors import ConfigError

# Codes of a program's steps, by frequency. access_format repeats them (a compiled module's own constants
# are C integers); a test compares the two lists.
LITERAL = 0  # argument: text
PLAIN_TIME = 1
CLIENT = 2  # host:port
REQUEST_LINE = 3
STATUS = 4
OCTETS = 5
MILLISECONDS_TEXT = 6  # 0.412ms
CUT_WORD = 7  # " incomplete", or nothing
CLF_TIME = 8
ISO_TIME = 9
HOST = 10
METHOD = 11
PATH = 12
QUERY = 13
PROTOCOL = 14
OCTETS_OR_DASH = 15
SECONDS_TEXT = 16
SECONDS = 17
MILLISECONDS = 18
MICROSECONDS = 19
REQUEST_FIELD = 20  # argument: name in octets, lower-case
RESPONSE_FIELD = 21  # argument: name in octets, lower-case
USER = 22
CUT_FLAG = 23
COMPLETE = 24  # true or false
PORT = 25
SERVER_HOST = 26
SERVER_PORT = 27
SCHEME = 28
ROOT_PATH = 29
HTTP_VERSION = 30
STATUS_COLOURED = 31
PROCESS_ID = 32

Program = tuple[tuple[int, "str | bytes"], ...]

_SIMPLE: dict[str, int] = {
    "h": HOST,
    "u": USER,
    "r": REQUEST_LINE,
    "m": METHOD,
    "U": PATH,
    "q": QUERY,
    "H": PROTOCOL,
    "s": STATUS,
    "B": OCTETS,
    "b": OCTETS_OR_DASH,
    "T": SECONDS,
    "M": MILLISECONDS,
    "D": MICROSECONDS,
    "L": SECONDS_TEXT,
    "p": PROCESS_ID,
    "X": CUT_FLAG,
}

# RFC 3875 section 4.1, and the three that WSGI servers add.
_CGI: dict[str, int] = {
    "REQUEST_METHOD": METHOD,
    "PATH_INFO": PATH,
    "RAW_URI": PATH,
    "QUERY_STRING": QUERY,
    "SERVER_PROTOCOL": PROTOCOL,
    "REMOTE_ADDR": HOST,
    "REMOTE_PORT": PORT,
    "SERVER_NAME": SERVER_HOST,
    "SERVER_PORT": SERVER_PORT,
    "SCRIPT_NAME": ROOT_PATH,
    "REQUEST_SCHEME": SCHEME,
    "wsgi.url_scheme": SCHEME,
}

_ATOM = re.compile(r"%(?:%|\((?:([A-Za-z])|\{([^{}]+)\}([ioe]))\)[sd])")
_ATTEMPT = re.compile(r"%(?:\([^)]*\)?[A-Za-z]?|.?)", re.DOTALL)  # what an error names
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
# Of a format's own text: leaves three quarters of a line to what is interpolated.
_LITERAL_LIMIT = 2048

_COMBINED = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'
_FLAG = "--access-logformat"


def _merged(steps: list[tuple[int, str | bytes]]) -> Program:
    """Join neighbouring literals, drop empty ones."""
    merged: list[tuple[int, str | bytes]] = []
    for code, argument in steps:
        if code == LITERAL and not argument:
            continue
        if code == LITERAL and merged and merged[-1][0] == LITERAL:
            before = merged.pop()[1]
            argument = f"{before!s}{argument!s}"
        merged.append((code, argument))
    return tuple(merged)


def _lines(steps: list[tuple[int, str | bytes]]) -> Program:
    return _merged([*steps, (LITERAL, "\n")])


def _default(colours: bool) -> Program:
    status = STATUS_COLOURED if colours else STATUS
    return _lines(
        [
            (PLAIN_TIME, ""), (LITERAL, " "), (CLIENT, ""), (LITERAL, ' - "'), (REQUEST_LINE, ""),
            (LITERAL, '" '), (status, ""), (LITERAL, " "), (OCTETS, ""), (LITERAL, " "),
            (MILLISECONDS_TEXT, ""), (CUT_WORD, ""),
        ]
    )  # fmt: skip


def _short(colours: bool) -> Program:
    status = STATUS_COLOURED if colours else STATUS
    return _lines(
        [
            (CLIENT, ""), (LITERAL, ' "'), (REQUEST_LINE, ""), (LITERAL, '" '), (status, ""), (CUT_WORD, ""),
        ]
    )  # fmt: skip


# Keys of the JSON format in their order. Documented in docs/logs.md.
JSON_KEYS: tuple[tuple[str, int, str | bytes], ...] = (
    ("time", ISO_TIME, ""),
    ("client", CLIENT, ""),
    ("method", METHOD, ""),
    ("path", PATH, ""),
    ("query", QUERY, ""),
    ("http_version", HTTP_VERSION, ""),
    ("status", STATUS, ""),
    ("octets", OCTETS, ""),
    ("duration", SECONDS_TEXT, ""),
    ("complete", COMPLETE, ""),
    ("referer", REQUEST_FIELD, b"referer"),
    ("user_agent", REQUEST_FIELD, b"user-agent"),
)


def _json() -> Program:
    steps: list[tuple[int, str | bytes]] = []
    for number, (key, code, argument) in enumerate(JSON_KEYS):
        steps.append((LITERAL, ("{" if number == 0 else ", ") + f'"{key}": '))
        steps.append((code, argument))
    return _lines([*steps, (LITERAL, "}")])


def compile_format(text: str, colours: bool = False) -> tuple[Program, bool]:
    """Return the program of a format and whether it writes JSON.

    `text` is default, short, combined, json, or a line of atoms.
    Raises: ConfigError, naming the atom, where the text is not a format.
    """
    match text:
        case "default":
            return _default(colours), False
        case "short":
            return _short(colours), False
        case "json":
            return _json(), True
        case "combined":
            return _atoms(_COMBINED), False
    return _atoms(text), False


def _atoms(text: str) -> Program:
    steps: list[tuple[int, str | bytes]] = []
    at = 0
    literal_octets = 0
    while at < len(text):
        percent = text.find("%", at)
        literal = text[at:] if percent < 0 else text[at:percent]
        if not (literal.isascii() and literal.replace("\t", " ").isprintable()):
            raise ConfigError(f"{_FLAG} {text!r}: printable ASCII and tabs only outside of atoms")
        steps.append((LITERAL, literal))
        literal_octets += len(literal)
        if percent < 0:
            break
        found = _ATOM.match(text, percent)
        if found is None:
            wrong = _ATTEMPT.match(text, percent)
            assert wrong is not None
            raise ConfigError(
                f"{_FLAG}: {wrong.group()!r} is not an atom; atoms look like %(h)s or %({{host}}i)s"
            )
        steps += _steps_of(found)
        at = found.end()
    if literal_octets > _LITERAL_LIMIT:
        raise ConfigError(f"{_FLAG}: {literal_octets} octets of text between atoms, at most {_LITERAL_LIMIT}")
    return _lines(steps)


def _steps_of(found: re.Match[str]) -> list[tuple[int, str | bytes]]:
    """Return the steps of one atom."""
    whole, letter, name, kind = found.group(), found.group(1), found.group(2), found.group(3)
    if whole == "%%":
        return [(LITERAL, "%")]
    if kind is not None:
        return [_named(whole, name, kind)]
    match letter:
        case "l":
            return [(LITERAL, "-")]
        case "t":
            return [(LITERAL, "["), (CLF_TIME, ""), (LITERAL, "]")]
        case "f":
            return [(REQUEST_FIELD, b"referer")]
        case "a":
            return [(REQUEST_FIELD, b"user-agent")]
    if letter not in _SIMPLE:
        known = " ".join([*_SIMPLE, "l", "t", "f", "a"])
        raise ConfigError(f"{_FLAG}: {whole!r} is not an atom; known are {known}, {{…}}i, {{…}}o, {{…}}e")
    return [(_SIMPLE[letter], "")]


def _named(whole: str, name: str, kind: str) -> tuple[int, str | bytes]:
    """Return the step of %({name}i)s, %({name}o)s or %({name}e)s."""
    if kind == "e":
        if name in _CGI:
            return (_CGI[name], "")
        if name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            return (REQUEST_FIELD, name.lower().replace("_", "-").encode())
        if name.startswith("HTTP_"):
            name, kind = name[5:].replace("_", "-"), "i"
        else:
            return (LITERAL, _environment(name))
    if not _TOKEN.match(name):
        raise ConfigError(f"{_FLAG}: {whole!r}: {name!r} is not a field name")
    return (REQUEST_FIELD if kind == "i" else RESPONSE_FIELD, name.lower().encode())


def _environment(name: str) -> str:
    """Return a variable of the process, as it stood at start."""
    from alsvid.observability.escape import escape_field

    return escape_field(os.environ.get(name) or "-", 1024)

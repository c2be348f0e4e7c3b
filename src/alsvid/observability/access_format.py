"""Writes the line of one request. Owns how each step of a format's program becomes text; does no I/O.

Hot and compiled: a program of `access_atoms` runs once a request. What comes from the peer is tested in one
pass and taken as it is when clean; anything else goes through `escape`. The time is formatted once a second.

The line is always printable ASCII (but for the colours of a terminal), one line feed at its end, at most
LINE_LIMIT octets.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import Any

from alsvid.observability.access_atoms import compile_format
from alsvid.observability.escape import CUT_MARK, LINE_LIMIT, escape_field, escape_json
from alsvid.observability.log_time import LogTime

# A single field leaves a quarter of the line to the others; where several are long, all get less.
FIELD_LIMIT = 6144
_SMALLEST_FIELD = 32

# The codes of access_atoms; here they are C integers.
_LITERAL = 0
_PLAIN_TIME = 1
_CLIENT = 2
_REQUEST_LINE = 3
_STATUS = 4
_OCTETS = 5
_MILLISECONDS_TEXT = 6
_CUT_WORD = 7
_CLF_TIME = 8
_ISO_TIME = 9
_HOST = 10
_METHOD = 11
_PATH = 12
_QUERY = 13
_PROTOCOL = 14
_OCTETS_OR_DASH = 15
_SECONDS_TEXT = 16
_SECONDS = 17
_MILLISECONDS = 18
_MICROSECONDS = 19
_REQUEST_FIELD = 20
_RESPONSE_FIELD = 21
_USER = 22
_CUT_FLAG = 23
_COMPLETE = 24
_PORT = 25
_SERVER_HOST = 26
_SERVER_PORT = 27
_SCHEME = 28
_ROOT_PATH = 29
_HTTP_VERSION = 30
_STATUS_COLOURED = 31
_PROCESS_ID = 32

# nginx's status for a client that went away before the answer's head; nothing was sent.
NO_HEAD_STATUS = 499


def _is_clean(text: str) -> bool:
    """Whether `text` needs no escape in a field or a JSON string."""
    # Fast because compiled this is one C loop without calls.
    for character in text:
        if character < " " or character > "~" or character == '"' or character == "\\":
            return False
    return True


def _status_texts(colours: bool) -> tuple[str, ...]:
    """Return the text of each status 0-599, in the colours other servers paint them with."""
    shades = ("31", "37", "32", "33", "31", "91")  # red, white, green, yellow, red, bright red
    texts = []
    for status in range(600):
        text = str(status or NO_HEAD_STATUS)
        texts.append(f"\x1b[{shades[status // 100]}m{text}\x1b[0m" if colours else text)
    return tuple(texts)


class AccessFormat:
    """A format, ready to write lines.

    `text` is default, short, combined, json, or a line of atoms (`access_atoms`); `colours` paints the
    status in default and short.
    Raises: ConfigError where `text` is not a format.
    """

    __slots__ = (
        "_arguments",
        "_codes",
        "_coloured",
        "_field_limit",
        "_is_json",
        "_log_time",
        "_second_ends",
        "_statuses",
    )

    def __init__(self, text: str, colours: bool = False, log_time: LogTime | None = None) -> None:
        program, self._is_json = compile_format(text, colours)
        self._codes = bytes([code for code, _ in program])
        self._arguments: tuple[Any, ...] = tuple([argument for _, argument in program])
        self._statuses = _status_texts(False)
        self._coloured = _status_texts(True)
        self._log_time = log_time if log_time is not None else LogTime()
        self._field_limit = FIELD_LIMIT
        self._second_ends = -1.0e300  # on the clock of Exchange.finished

    def render(self, exchange: Any) -> str:
        """Return the line of one finished request, with its line feed."""
        finished = exchange.finished
        if finished >= self._second_ends:
            self._second_ends = finished + self._log_time.refresh()
        line = self._compose(exchange, finished)
        return line if len(line) <= LINE_LIMIT else self._fit(exchange, finished)

    def _compose(self, exchange: Any, finished: float) -> str:
        codes = self._codes
        count = len(self._codes)
        scope = exchange.scope
        pieces = []
        at = 0
        while at < count:
            code = codes[at]
            if code == _LITERAL:
                pieces.append(self._arguments[at])
            else:
                pieces.append(self._piece(code, self._arguments[at], exchange, scope, finished))
            at += 1
        return "".join(pieces)

    def _fit(self, exchange: Any, finished: float) -> str:
        """Write the line again with ever less room for a field, so that all the others stay readable."""
        line = ""
        try:
            self._field_limit = FIELD_LIMIT // 2
            while self._field_limit >= _SMALLEST_FIELD:
                line = self._compose(exchange, finished)
                if len(line) <= LINE_LIMIT:
                    return line
                self._field_limit //= 2
        finally:
            self._field_limit = FIELD_LIMIT
        # Only a format of hundreds of atoms comes here; JSON never does.
        return line[: LINE_LIMIT - 1 - len(CUT_MARK)] + CUT_MARK + "\n"

    def _piece(self, code: int, argument: Any, exchange: Any, scope: dict[str, Any], finished: float) -> str:
        """Return the text of one step, by frequency."""
        if code == _STATUS:
            return self._status(exchange, self._statuses)
        if code == _OCTETS:
            return f"{_whole(exchange.response_octets)}"
        if code == _REQUEST_LINE:
            return self._request_line(scope)
        if code == _CLIENT:
            return self._client(scope.get("client"))
        if code == _PLAIN_TIME:
            return self._log_time.plain
        if code == _MILLISECONDS_TEXT:
            microseconds = _microseconds(exchange.started, finished)
            return f"{microseconds // 1000}.{microseconds % 1000:03d}ms"
        if code == _CUT_WORD:
            return "" if exchange.complete else " incomplete"
        if code == _SECONDS_TEXT:
            microseconds = _microseconds(exchange.started, finished)
            return f"{microseconds // 1000000}.{microseconds % 1000000:06d}"
        if code <= _PROTOCOL:
            return self._request_piece(code, scope)
        if code == _REQUEST_FIELD:
            return self._field(scope.get("headers"), argument)
        if code == _COMPLETE:
            return "true" if exchange.complete else "false"
        return self._rare_piece(code, argument, exchange, scope, finished)

    def _request_piece(self, code: int, scope: dict[str, Any]) -> str:
        if code == _CLF_TIME:
            return self._log_time.clf
        if code == _ISO_TIME:
            return f'"{self._log_time.iso}"'
        if code == _METHOD:
            return self._text(scope.get("method", "GET"))
        if code == _PATH:
            return self._text(_raw_path(scope))
        if code == _QUERY:
            return self._text(scope.get("query_string", b""))
        if code == _PROTOCOL:
            return "HTTP/" + self._text(scope.get("http_version"))
        return self._text(_part_of(scope.get("client"), 0))

    def _rare_piece(
        self, code: int, argument: Any, exchange: Any, scope: dict[str, Any], finished: float
    ) -> str:
        if code == _HTTP_VERSION:
            return self._text(scope.get("http_version"))
        if code == _STATUS_COLOURED:
            return self._status(exchange, self._coloured)
        if code == _OCTETS_OR_DASH:
            octets = _whole(exchange.response_octets)
            return f"{octets}" if octets > 0 else "-"
        if code == _RESPONSE_FIELD:
            return self._field(exchange.response_headers, argument)
        if code == _USER:
            return self._text(_user(scope.get("headers")))
        if code == _CUT_FLAG:
            return "+" if exchange.complete else "X"
        if code == _PROCESS_ID:
            return f"{os.getpid()}"
        if code == _PORT:
            return self._text(_part_of(scope.get("client"), 1))
        if code == _SERVER_HOST:
            return self._text(_part_of(scope.get("server"), 0))
        if code == _SERVER_PORT:
            return self._text(_part_of(scope.get("server"), 1))
        if code == _SCHEME:
            return self._text(scope.get("scheme"))
        if code == _ROOT_PATH:
            return self._text(scope.get("root_path", ""))
        microseconds = _microseconds(exchange.started, finished)
        if code == _SECONDS:
            return f"{microseconds // 1000000}"
        if code == _MILLISECONDS:
            return f"{microseconds // 1000}"
        return f"{microseconds}"

    def _text(self, value: Any) -> str:
        """Return a value as a field: quoted in JSON; "-" or null where there is none."""
        if value is None:
            return "null" if self._is_json else "-"
        if type(value) is bytes:
            text = _latin1(value)
        elif type(value) is str:
            text = value
        else:
            text = str(value)
        if len(text) > self._field_limit or not _is_clean(text):
            escape = escape_json if self._is_json else escape_field
            text = escape(text, self._field_limit)
        return f'"{text}"' if self._is_json else text

    def _status(self, exchange: Any, texts: tuple[str, ...]) -> str:
        status = _whole(exchange.status)
        return texts[status] if 0 <= status < 600 else f"{status}"

    def _client(self, client: Any) -> str:
        """Return host:port, [host]:port for IPv6; the host alone where the port is not known."""
        if client is None:
            return self._text(None)
        host = str(client[0])
        port = client[1]
        if not port:
            return self._text(host)
        return self._text(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def _request_line(self, scope: dict[str, Any]) -> str:
        method = self._text(scope.get("method", "GET"))
        path = self._text(_raw_path(scope))
        version = self._text(scope.get("http_version"))
        query = scope.get("query_string")
        if query:
            return f"{method} {path}?{self._text(query)} HTTP/{version}"
        return f"{method} {path} HTTP/{version}"

    def _field(self, fields: Any, name: bytes) -> str:
        """Return the values of a field, joined as RFC 9110 section 5.3 joins them."""
        found = None
        if fields is not None:
            for field in fields:
                key = field[0]
                # The length first: a request has twenty fields, and lower() makes an object.
                if len(key) == len(name) and (key == name or key.lower() == name):
                    found = field[1] if found is None else found + b", " + field[1]
        return self._text(found)


def _latin1(octets: bytes) -> str:
    return octets.decode("latin-1")


def _whole(number: int) -> int:
    return number


def _microseconds(started: float, finished: float) -> int:
    duration = finished - started
    # Also false for not-a-number; ten years are a clock gone wrong.
    return int(duration * 1000000.0) if 0.0 <= duration < 3.0e8 else 0


def _raw_path(scope: dict[str, Any]) -> Any:
    """Return the path as it came; the decoded one where a scope has no other (ASGI: raw_path is optional)."""
    raw_path = scope.get("raw_path")
    if raw_path is None:
        return scope.get("path", "")
    return raw_path


def _part_of(address: Any, number: int) -> Any:
    """Return host (0) or port (1) of an ASGI address, or None."""
    return None if address is None else address[number]


def _user(fields: Any) -> bytes | None:
    """Return the user's name of a request with basic authentication (RFC 7617), never the password."""
    for name, value in fields or ():
        if name == b"authorization" and value[:6].lower() == b"basic ":
            try:
                decoded = base64.b64decode(value[6:].strip(), validate=True)
            except (binascii.Error, ValueError):
                return None
            return decoded.partition(b":")[0] or None
    return None

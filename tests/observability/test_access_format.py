"""The formats of the access log: what each writes, and that no peer can make it write anything else."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from log_fakes import WALL, FakeClock, FakeExchange

from alsvid.errors import ConfigError
from alsvid.observability import access_atoms, access_format
from alsvid.observability.access_format import AccessFormat
from alsvid.observability.escape import CUT_MARK, LINE_LIMIT
from alsvid.observability.log_time import LogTime

ATOMS = (
    '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(m)s %(U)s %(q)s %(H)s %(s)s %(B)s %(b)s "%(f)s" "%(a)s" %(T)s %(M)s '
    "%(D)s %(L)s %(p)s %(X)s %({x-one}i)s %({X-Two}o)s %({REMOTE_ADDR}e)s %({SERVER_NAME}e)s "
    "%({HTTP_HOST}e)s %({SERVER_PORT}e)s %({REMOTE_PORT}e)s %({SCRIPT_NAME}e)s %({wsgi.url_scheme}e)s"
)
FORMATS = ["default", "short", "combined", "json", ATOMS]


def line_of(text: str, **changes: Any) -> str:
    clock = LogTime(FakeClock(WALL))
    return AccessFormat(text, log_time=clock).render(FakeExchange(**changes))


def assert_is_one_safe_line(line: str) -> None:
    assert line.endswith("\n")
    body = line[:-1]
    assert body.isascii()
    assert body.isprintable()
    assert len(line) <= LINE_LIMIT


def test_the_default_line_names_client_request_status_size_and_duration() -> None:
    """Time, client, request line, status, octets, duration."""
    assert line_of("default") == (
        '2026-07-14 05:33:20 192.0.2.1:4711 - "GET /items/1?q=a HTTP/1.1" 200 13 12.345ms\n'
    )


def test_the_short_line() -> None:
    """Client, request line and status."""
    assert line_of("short") == '192.0.2.1:4711 "GET /items/1?q=a HTTP/1.1" 200\n'


def test_the_combined_line_is_that_of_httpd() -> None:
    """The combined log format, for the programs that read it."""
    assert line_of("combined") == (
        '192.0.2.1 - anna [14/Jul/2026:05:33:20 +0200] "GET /items/1?q=a HTTP/1.1" 200 13 '
        '"http://example.org/" "curl/8.5"\n'
    )


def test_the_json_line_holds_the_documented_keys_in_order() -> None:
    """One object a line; the duration is a number of seconds."""
    parsed = json.loads(line_of("json"))
    assert parsed == {
        "time": "2026-07-14T05:33:20+02:00",
        "client": "192.0.2.1:4711",
        "method": "GET",
        "path": "/items/1",
        "query": "q=a",
        "http_version": "1.1",
        "status": 200,
        "octets": 13,
        "duration": 0.012345,
        "complete": True,
        "referer": "http://example.org/",
        "user_agent": "curl/8.5",
    }
    assert list(parsed) == [key for key, _, _ in access_atoms.JSON_KEYS]


@pytest.mark.parametrize(
    ("atom", "text"),
    [
        ("%(h)s", "192.0.2.1"),
        ("%(l)s", "-"),
        ("%(u)s", "anna"),
        ("%(t)s", "[14/Jul/2026:05:33:20 +0200]"),
        ("%(r)s", "GET /items/1?q=a HTTP/1.1"),
        ("%(m)s", "GET"),
        ("%(U)s", "/items/1"),
        ("%(q)s", "q=a"),
        ("%(H)s", "HTTP/1.1"),
        ("%(s)s", "200"),
        ("%(s)d", "200"),
        ("%(B)s", "13"),
        ("%(b)s", "13"),
        ("%(f)s", "http://example.org/"),
        ("%(a)s", "curl/8.5"),
        ("%(T)s", "0"),
        ("%(M)s", "12"),
        ("%(D)s", "12345"),
        ("%(L)s", "0.012345"),
        ("%(X)s", "+"),
        ("%%", "%"),
        ("100%% of %(s)s", "100% of 200"),
        ("%({host}i)s", "example.org"),
        ("%({Host}i)s", "example.org"),
        ("%({accept}i)s", "text/html, text/plain"),
        ("%({absent}i)s", "-"),
        ("%({content-type}o)s", "text/plain"),
        ("%({x-trace}o)s", "t1"),
        ("%({X-TRACE}o)s", "t1"),
        ("%({absent}o)s", "-"),
        ("%({REQUEST_METHOD}e)s", "GET"),
        ("%({PATH_INFO}e)s", "/items/1"),
        ("%({RAW_URI}e)s", "/items/1"),
        ("%({QUERY_STRING}e)s", "q=a"),
        ("%({SERVER_PROTOCOL}e)s", "HTTP/1.1"),
        ("%({REMOTE_ADDR}e)s", "192.0.2.1"),
        ("%({REMOTE_PORT}e)s", "4711"),
        ("%({SERVER_NAME}e)s", "192.0.2.9"),
        ("%({SERVER_PORT}e)s", "8000"),
        ("%({SCRIPT_NAME}e)s", ""),
        ("%({REQUEST_SCHEME}e)s", "http"),
        ("%({wsgi.url_scheme}e)s", "http"),
        ("%({HTTP_USER_AGENT}e)s", "curl/8.5"),
        ("%({CONTENT_TYPE}e)s", "text/csv"),
        ("%({ALSVID_TEST_ABSENT}e)s", "-"),
        ("plain text", "plain text"),
        ("a\tb %(s)s", "a\tb 200"),
        ("%(s)s%(s)s", "200200"),
    ],
)
def test_each_atom_means_what_it_means_in_gunicorn(atom: str, text: str) -> None:
    """Formats are carried over from Gunicorn and httpd as they are."""
    assert line_of(atom) == text + "\n"


def test_the_process_atom_is_that_of_the_process_that_writes() -> None:
    """A forked worker logs its own id."""
    import os

    assert line_of("%(p)s") == f"{os.getpid()}\n"


def test_a_variable_of_the_process_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even the operator's own values keep the line whole."""
    monkeypatch.setenv("ALSVID_TEST_REGION", 'north\n"1"')
    assert line_of("%({ALSVID_TEST_REGION}e)s") == "north\\x0a\\x221\\x22\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("%(z)s", "%(z)s"),
        ("%(h)s %(Z)s", "%(Z)s"),
        ("%(hh)s", "%(hh)s"),
        ("%(h)", "%(h)"),
        ("%(h)x", "%(h)x"),
        ("%h", "%h"),
        ("50%", "%"),
        ("%({a b}i)s", "a b"),
        ("%({}i)s", "%({}i)s"),
        ("%({host}x)s", "%({host}x)s"),
        ("%({a:b}o)s", "a:b"),
        ("one\ntwo %(h)s", "printable ASCII"),
        ("\x1b[31m%(h)s", "printable ASCII"),
        ("é %(h)s", "printable ASCII"),
        ("x" * 3000 + "%(h)s", "3000 octets"),
    ],
)
def test_a_format_that_cannot_be_used_stops_the_start_and_is_named(text: str, named: str) -> None:
    """ConfigError names the flag and the atom."""
    with pytest.raises(ConfigError, match="--access-logformat") as caught:
        AccessFormat(text)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("client", "default", "host"),
    [
        (("192.0.2.1", 4711), "192.0.2.1:4711", "192.0.2.1"),
        (("2001:db8::1", 4711), "[2001:db8::1]:4711", "2001:db8::1"),
        (("192.0.2.1", 0), "192.0.2.1", "192.0.2.1"),
        (("unknown", None), "unknown", "unknown"),
        (None, "-", "-"),
        (["192.0.2.1", 4711], "192.0.2.1:4711", "192.0.2.1"),
    ],
)
def test_clients_of_every_kind(client: Any, default: str, host: str) -> None:
    """A peer on a Unix socket has no address: "-", in JSON null."""
    assert line_of("short", client=client).split(' "')[0] == default
    assert line_of("%(h)s", client=client) == host + "\n"
    assert json.loads(line_of("json", client=client))["client"] == (None if client is None else default)


@pytest.mark.parametrize(
    ("status", "shown"), [(200, 200), (0, 499), (404, 404), (500, 500), (599, 599), (999, 999)]
)
def test_a_request_that_never_got_a_head_is_logged_as_499(status: int, shown: int) -> None:
    """499 is what nginx writes for a client that closed the request."""
    assert f'" {shown} 13 ' in line_of("default", status=status)
    assert line_of("%(s)s", status=status) == f"{shown}\n"
    assert json.loads(line_of("json", status=status))["status"] == shown


def test_an_answer_that_was_cut_short_is_visible() -> None:
    """A trailing word in default and short, a key in JSON, %(X)s in atoms."""
    assert line_of("default", complete=False).endswith("ms incomplete\n")
    assert line_of("short", complete=False).endswith("200 incomplete\n")
    assert json.loads(line_of("json", complete=False))["complete"] is False
    assert line_of("%(X)s", complete=False) == "X\n"


@pytest.mark.parametrize("octets", [0, 1, 99, 2**31, 2**33, 2**53])
def test_sizes_of_every_magnitude(octets: int) -> None:
    """More than 4 GiB was sent: the number is whole."""
    assert line_of("%(B)s", response_octets=octets) == f"{octets}\n"
    assert line_of("%(b)s", response_octets=octets) == f"{octets or '-'}\n"
    assert json.loads(line_of("json", response_octets=octets))["octets"] == octets


@pytest.mark.parametrize(
    ("seconds", "default", "json_value"),
    [
        (0.0, "0.000ms", 0.0),
        (0.000001, "0.001ms", 0.000001),
        (0.0009999, "0.999ms", 0.000999),
        (1.5, "1500.000ms", 1.5),
        (86400.0, "86400000.000ms", 86400.0),
        (-1.0, "0.000ms", 0.0),
        (float("nan"), "0.000ms", 0.0),
        (float("inf"), "0.000ms", 0.0),
    ],
)
def test_durations(seconds: float, default: str, json_value: float) -> None:
    """A clock gone wrong costs the duration, not the line."""
    exchange = {"started": 0.0, "finished": seconds}
    assert line_of("default", **exchange).split()[-1] == default
    assert json.loads(line_of("json", **exchange))["duration"] == json_value


@pytest.mark.parametrize(
    ("credentials", "user"),
    [
        (b"Basic YW5uYTpzZWNyZXQ=", "anna"),
        (b"basic YW5uYTpzZWNyZXQ=", "anna"),
        (b"Basic YW5uYQ==", "anna"),
        (b"Basic OnNlY3JldA==", "-"),
        (b"Basic !!!", "-"),
        (b"Basic ", "-"),
        (b"Basic YQ", "-"),
        (b"Bearer YW5uYTpzZWNyZXQ=", "-"),
        (b"Basic YQoi/zpi", "a\\x0a\\x22\\xff"),
    ],
)
def test_the_user_of_basic_authentication(credentials: bytes, user: str) -> None:
    """The name only, never the password; nonsense reads "-"."""
    assert line_of("%(u)s", headers=[(b"authorization", credentials)]) == user + "\n"


def test_the_time_is_formatted_anew_each_second_of_the_finish_clock() -> None:
    """The text is kept for one second, and follows the wall clock afterwards."""
    wall = FakeClock(WALL)
    form = AccessFormat("%(t)s", log_time=LogTime(wall))
    assert "05:33:20" in form.render(FakeExchange(finished=100.0))
    wall.now += 3600
    assert "05:33:20" in form.render(FakeExchange(finished=100.74))
    assert "06:33:20" in form.render(FakeExchange(finished=100.76))


@pytest.mark.parametrize(
    ("status", "shade"), [(101, 37), (200, 32), (302, 33), (404, 31), (500, 91), (0, 31)]
)
@pytest.mark.parametrize("text", ["default", "short"])
def test_a_terminal_gets_the_status_in_colour(text: str, status: int, shade: int) -> None:
    """Colours are ours; those of a peer are escaped."""
    form = AccessFormat(text, colours=True, log_time=LogTime(FakeClock(WALL)))
    line = form.render(FakeExchange(status=status, raw_path=b"/\x1b[31m"))
    assert f"\x1b[{shade}m{status or 499}\x1b[0m" in line
    assert line.count("\x1b") == 2


@pytest.mark.parametrize("text", ["combined", "json", ATOMS])
def test_formats_for_programs_are_never_coloured(text: str) -> None:
    """A parser reads them."""
    assert "\x1b" not in AccessFormat(text, colours=True).render(FakeExchange())


HOSTILE = [bytes([code]) for code in (*range(0x20), 0x22, 0x5C, 0x7F, 0x80, 0x9B, 0xA0, 0xE9, 0xFF)]


@pytest.mark.parametrize("text", FORMATS)
@pytest.mark.parametrize("octet", HOSTILE)
def test_a_hostile_octet_in_every_field_of_every_format_stays_in_its_line(text: str, octet: bytes) -> None:
    """Log injection: controls, quotes, backslashes and octets above 0x7E never get out as they are."""
    poison = b"a" + octet + b"b"
    name = poison.decode("latin-1")
    line = line_of(
        text,
        method=name,
        raw_path=b"/" + poison,
        query_string=poison,
        http_version=name,
        client=(name, 1),
        server=(name, 2),
        scheme=name,
        root_path=name,
        headers=[(key, poison) for key in (b"user-agent", b"referer", b"x-one", b"host")],
        response_headers=[(b"x-two", poison)],
    )
    assert_is_one_safe_line(line)
    if text == "json":
        parsed = json.loads(line)
        assert parsed["path"] == "/" + name
        assert parsed["user_agent"] == name
    else:
        assert f"a\\x{octet[0]:02x}b" in line


anything = st.one_of(
    st.text(st.characters(), max_size=60), st.text(st.characters(), min_size=3000, max_size=9000)
)
octets = st.one_of(st.binary(max_size=60), st.integers(1, 20000).map(lambda n: b"\xff\n" * n))


@pytest.mark.parametrize("text", FORMATS)
@given(data=st.data())
def test_whatever_is_in_a_request_its_line_is_one_short_printable_line(
    text: str, data: st.DataObject
) -> None:
    """Exactly one line, at most 8 KiB, printable ASCII; JSON parses."""
    line = line_of(
        text,
        method=data.draw(anything),
        raw_path=data.draw(octets),
        query_string=data.draw(octets),
        http_version=data.draw(anything),
        client=data.draw(st.one_of(st.none(), st.tuples(anything, st.integers(0, 65535)))),
        headers=[
            (b"user-agent", data.draw(octets)),
            (b"referer", data.draw(octets)),
            (b"x-one", data.draw(octets)),
        ],
        response_headers=[(b"x-two", data.draw(octets))],
        status=data.draw(st.integers(0, 999)),
        complete=data.draw(st.booleans()),
        finished=data.draw(st.floats(allow_nan=True)),
    )
    assert_is_one_safe_line(line)
    if text == "json":
        assert len(json.loads(line)) == len(access_atoms.JSON_KEYS)


@pytest.mark.parametrize("text", FORMATS)
@pytest.mark.parametrize("unit", [b"a", b'"', b"\xff", b"\x00"])
@pytest.mark.parametrize("length", [8000, 8192, 60_000])
def test_a_long_request_is_cut_visibly_and_keeps_its_status(text: str, unit: bytes, length: int) -> None:
    """The fields share the line: what is long is cut, what is short stays."""
    long = unit * length
    line = line_of(
        text, raw_path=long, query_string=long, headers=[(b"user-agent", long), (b"referer", long)]
    )
    assert_is_one_safe_line(line)
    assert CUT_MARK in line
    assert re.search(r"\b200\b", line)


def test_one_long_field_is_cut_no_further_than_needed() -> None:
    """6 KiB of one field are kept."""
    line = line_of("default", raw_path=b"/" + b"a" * 8000, query_string=b"")
    assert line.count("a") > 6000
    assert line.endswith("ms\n")


def test_a_line_is_written_whole_again_after_a_long_one(log_time: LogTime) -> None:
    """The room taken from one line's fields is given back for the next."""
    form = AccessFormat("combined", log_time=log_time)
    form.render(FakeExchange(raw_path=b"\xff" * 9000, query_string=b"\xff" * 9000))
    assert CUT_MARK not in form.render(FakeExchange(raw_path=b"/" + b"a" * 5000))


def test_hundreds_of_atoms_still_make_one_bounded_line() -> None:
    """Even a format nobody needs keeps the limit."""
    assert_is_one_safe_line(line_of("%(U)s " * 600, raw_path=b"/" + b"a" * 100))


@pytest.mark.parametrize("text", FORMATS)
@pytest.mark.parametrize(
    "changes",
    [
        {"method": None},
        {"raw_path": None},
        {"raw_path": None, "path": "/é\n"},
        {"query_string": None},
        {"http_version": None},
        {"headers": None},
        {"headers": ()},
        {"response_headers": None},
        {"response_headers": ((b"a", b"b"),)},
        {"server": None},
        {"server": ("/run/app.sock", None)},
        {"method": 7},
        {"scheme": None},
        {"root_path": None},
    ],
)
def test_a_scope_that_an_application_has_changed_is_still_logged(text: str, changes: dict[str, Any]) -> None:
    """The scope belongs to the application as well; nothing it puts there may break the log."""
    assert_is_one_safe_line(line_of(text, **changes))


def test_a_websocket_scope_has_no_method_and_is_a_get() -> None:
    """The request of a WebSocket handshake is a GET."""
    exchange = FakeExchange(status=101)
    del exchange.scope["method"]
    assert '"GET /items/1?q=a HTTP/1.1" 101' in AccessFormat("default").render(exchange)


@example(b"%(h)s %s {0}")
@given(st.binary(max_size=40))
def test_a_request_is_never_read_as_a_format(path: bytes) -> None:
    """Percent signs and braces of a peer are text."""
    safe = bytes(c for c in path if 0x20 <= c < 0x7F and c not in b'"\\')
    assert line_of("%(U)s", raw_path=safe) == safe.decode() + "\n"


def test_the_steps_have_the_same_codes_where_they_are_made_and_where_they_run() -> None:
    """The compiled module repeats the constants as C integers; its source is the witness."""
    from pathlib import Path

    import alsvid.observability.access_atoms as atoms

    source = Path(atoms.__file__).with_name("access_format.py").read_text()
    there = {name: int(code) for name, code in re.findall(r"^_([A-Z_]+) = (\d+)$", source, re.M)}
    there.pop("SMALLEST_FIELD")
    here = {
        name: value
        for name, value in vars(atoms).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, int)
    }
    assert there == here
    declared = Path(atoms.__file__).with_name("access_format.pxd").read_text()
    assert all(re.search(rf"\b_{name}\b", declared) for name in here)


@pytest.mark.parametrize(("module", "name"), [("access_format", "AccessFormat"), ("access_log", "AccessLog")])
def test_slots_and_declared_attributes_are_in_step(module: str, name: str) -> None:
    """The compiled class has the attributes of the pure one."""
    from pathlib import Path

    folder = Path(access_atoms.__file__).parent
    slots = re.search(r"__slots__ = \(([^)]*)\)", (folder / f"{module}.py").read_text())
    assert slots is not None
    declared = re.findall(
        r"^    cdef \w+ (_\w+)$",
        (folder / f"{module}.pxd").read_text().partition(f"cdef class {name}:")[2],
        re.M,
    )
    assert sorted(re.findall(r'"(\w+)"', slots[1])) == sorted(declared)


assert access_format.FIELD_LIMIT < LINE_LIMIT

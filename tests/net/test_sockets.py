"""Listening sockets: what an address means, what is opened, and what is said when it cannot be."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from alsvid.errors import StartupError
from alsvid.net import sockets
from alsvid.net.bind import Bind, bind_of_host_and_port, parse_bind
from alsvid.net.settings import ListenSettings
from alsvid.net.sockets import Listener, chosen_binds, open_listeners, passed_descriptors


def _ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _ipv6_loopback(), reason="this machine has no IPv6 loopback address")
needs_no_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")


@pytest.fixture
def opened() -> Iterator[list[Listener]]:
    """Listeners to close at the end."""
    listeners: list[Listener] = []
    yield listeners
    for listener in listeners:
        listener.close()


def _bind(text: str) -> ListenSettings:
    return ListenSettings(bind=(text,))


# --- the syntax of an address -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8000", Bind("tcp", host="127.0.0.1", port=8000)),
        ("0.0.0.0:80", Bind("tcp", host="0.0.0.0", port=80)),
        ("localhost:0", Bind("tcp", host="localhost", port=0)),
        ("localhost", Bind("tcp", host="localhost", port=8000)),
        ("my-host_1.example.com:65535", Bind("tcp", host="my-host_1.example.com", port=65535)),
        ("bücher.example:80", Bind("tcp", host="bücher.example", port=80)),
        ("8000", Bind("tcp", host="127.0.0.1", port=8000)),
        ("0", Bind("tcp", host="127.0.0.1", port=0)),
        (":8000", Bind("tcp", host="", port=8000)),
        ("*:8000", Bind("tcp", host="", port=8000)),
        ("*", Bind("tcp", host="", port=8000)),
        ("[::1]:8001", Bind("tcp", host="::1", port=8001)),
        ("[::]:0", Bind("tcp", host="::", port=0)),
        ("[::1]", Bind("tcp", host="::1", port=8000)),
        ("[fe80::1%eth0]:80", Bind("tcp", host="fe80::1%eth0", port=80)),
        ("[::ffff:192.0.2.1]:80", Bind("tcp", host="::ffff:192.0.2.1", port=80)),
        ("tcp://127.0.0.1:9", Bind("tcp", host="127.0.0.1", port=9)),
        (" 127.0.0.1:9 ", Bind("tcp", host="127.0.0.1", port=9)),
        ("unix:/run/app.sock", Bind("unix", path="/run/app.sock")),
        ("unix:app.sock", Bind("unix", path="app.sock")),
        ("unix:///run/app.sock", Bind("unix", path="/run/app.sock")),
        ("unix:/run/with:colon.sock", Bind("unix", path="/run/with:colon.sock")),
        ("unix:/run/a b.sock", Bind("unix", path="/run/a b.sock")),
        ("fd://3", Bind("fd", descriptor=3)),
        ("fd://0", Bind("fd", descriptor=0)),
        ("fd://web", Bind("fd", descriptor="web")),
        ("fd://web-2.socket", Bind("fd", descriptor="web-2.socket")),
    ],
)
def test_an_address_in_every_accepted_form_is_parsed(text: str, expected: Bind) -> None:
    """HOST:PORT, HOST, [V6]:PORT, :PORT, PORT, unix:PATH, fd://N and fd://NAME."""
    assert parse_bind(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("127.0.0.1:", "not a port"),
        ("127.0.0.1:65536", "not a port"),
        ("127.0.0.1:-1", "not a port"),
        ("127.0.0.1:http", "not a port"),
        ("127.0.0.1:8 0", "not a port"),
        ("127.0.0.1:000080", "not a port"),
        ("127.0.0.1:٣", "not a port"),
        ("70000", "not a port"),
        ("::1", "brackets"),
        ("::1:8000", "brackets"),
        ("fe80::1", "brackets"),
        ("[::1", "[ADDRESS]:PORT"),
        ("[::1]8000", "[ADDRESS]:PORT"),
        ("[]:8000", "not an IPv6 address"),
        ("[127.0.0.1]:80", "not an IPv6 address"),
        ("[::g]:80", "not an IPv6 address"),
        ("[localhost]:80", "not an IPv6 address"),
        ("http://127.0.0.1:80", "scheme"),
        ("https://example.com", "scheme"),
        ("/run/app.sock", "unix:/run/app.sock"),
        ("127.0.0.1:80/path", "looks like a path"),
        ("user@host:80", "neither an address nor the name"),
        ("a b:80", "neither an address nor the name"),
        ("a\0b:80", "neither an address nor the name"),
        ("127.1:80", "not an IPv4 address"),
        ("1.2.3:80", "not an IPv4 address"),
        ("2130706433:80", "not an IPv4 address"),
        ("256.0.0.1:80", "not an IPv4 address"),
        ("0177.0.0.1:80", "not an IPv4 address"),
        ("unix:", "path is missing"),
        ("unix://", "path is missing"),
        ("unix:/run/a\0b", "NUL"),
        ("fd://", "descriptor is missing"),
        ("fd://-1", "neither a descriptor"),
        ("fd://a:b", "neither a descriptor"),
        ("fd:// 3", "neither a descriptor"),
    ],
)
def test_a_wrong_address_is_refused_with_what_would_be_right(text: str, hint: str) -> None:
    """A slip in an address must not be read as another address."""
    with pytest.raises(ValueError) as caught:
        parse_bind(text)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:8000",
        "[::1]:8001",
        "localhost:0",
        ":80",
        "unix:/run/app.sock",
        "fd://3",
        "fd://web",
        "[fe80::1%eth0]:80",
    ],
)
def test_a_bind_is_written_as_it_is_read(text: str) -> None:
    """Messages show the address in a form that can be typed again."""
    assert str(parse_bind(text)) == text
    assert parse_bind(str(parse_bind(text))) == parse_bind(text)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("::1", "::1"), ("[::1]", "::1"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("", "")],
)
def test_the_host_option_takes_an_ipv6_address_with_and_without_brackets(host: str, expected: str) -> None:
    """--host ::1 is what Uvicorn's users type."""
    assert bind_of_host_and_port(host, 80) == Bind("tcp", host=expected, port=80)


# --- which addresses ----------------------------------------------------------------------------------------


def test_without_explicit_addresses_host_and_port_are_used() -> None:
    """--host and --port are the default way."""
    assert chosen_binds(ListenSettings(host="0.0.0.0", port=9), {}) == [Bind("tcp", host="0.0.0.0", port=9)]


def test_explicit_addresses_take_the_place_of_host_and_port() -> None:
    """--bind, --uds and --fd add up; --host and --port then do not count."""
    settings = ListenSettings(bind=("127.0.0.1:1", "[::1]:2"), uds="/run/x", fd=5)
    assert chosen_binds(settings, {}) == [
        Bind("fd", descriptor=5),
        Bind("tcp", host="127.0.0.1", port=1),
        Bind("tcp", host="::1", port=2),
        Bind("unix", path="/run/x"),
    ]


def test_an_address_given_twice_is_opened_once() -> None:
    """Repeating an address is no error."""
    assert (
        len(chosen_binds(ListenSettings(bind=("127.0.0.1:1", "127.0.0.1:1", "tcp://127.0.0.1:1")), {})) == 1
    )


def test_passed_sockets_take_the_place_of_host_and_port() -> None:
    """Under socket activation no other port is opened by default."""
    assert chosen_binds(ListenSettings(), {3: "", 4: ""}) == [
        Bind("fd", descriptor=3),
        Bind("fd", descriptor=4),
    ]


def test_passed_sockets_are_opened_beside_explicit_addresses() -> None:
    """An explicit --bind is never silently ignored."""
    assert chosen_binds(_bind("127.0.0.1:0"), {3: ""}) == [
        Bind("fd", descriptor=3),
        Bind("tcp", host="127.0.0.1", port=0),
    ]


@pytest.mark.parametrize("text", ["fd://4", "fd://web"])
def test_naming_a_passed_socket_leaves_the_others_alone(text: str) -> None:
    """A unit may pass sockets that belong to other parts of the service."""
    assert chosen_binds(_bind(text), {3: "metrics", 4: "web"}) == [Bind("fd", descriptor=4)]


def test_a_name_that_was_not_passed_is_refused_with_the_known_names() -> None:
    """The message lists what LISTEN_FDNAMES has."""
    with pytest.raises(StartupError, match="metrics, web"):
        chosen_binds(_bind("fd://wbe"), {3: "metrics", 4: "web"})


def test_a_name_without_passed_sockets_is_refused() -> None:
    """fd://web outside of socket activation cannot work."""
    with pytest.raises(StartupError, match="none"):
        chosen_binds(_bind("fd://web"), {})


@pytest.mark.parametrize("bind", ["nonsense:", "::1"])
def test_a_wrong_bind_stops_the_start_and_names_the_option(bind: str) -> None:
    """Settings made in code have not passed the command line's checks."""
    with pytest.raises(StartupError, match="--bind"):
        chosen_binds(_bind(bind), {})


def test_a_wrong_host_stops_the_start_and_names_the_option() -> None:
    """As above, for --host."""
    with pytest.raises(StartupError, match="--host"):
        chosen_binds(ListenSettings(host="a b"), {})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {}),
        ({"LISTEN_FDS": "2"}, {}),
        ({"LISTEN_FDS": "2", "LISTEN_PID": "1"}, {}),
        ({"LISTEN_PID": "self"}, {}),
        ({"LISTEN_FDS": "0", "LISTEN_PID": "self"}, {}),
        ({"LISTEN_FDS": "2", "LISTEN_PID": "self"}, {3: "", 4: ""}),
        ({"LISTEN_FDS": "2", "LISTEN_PID": "self", "LISTEN_FDNAMES": "a:b"}, {3: "a", 4: "b"}),
        ({"LISTEN_FDS": "2", "LISTEN_PID": "self", "LISTEN_FDNAMES": "a"}, {3: "a", 4: ""}),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "self", "LISTEN_FDNAMES": "a:b:c"}, {3: "a"}),
    ],
)
def test_passed_sockets_are_ours_only_with_our_process_id(
    environ: dict[str, str], expected: dict[int, str]
) -> None:
    """sd_listen_fds(3): $LISTEN_PID must be the process's id, else the variables are for somebody else."""
    mine = {name: str(os.getpid()) if value == "self" else value for name, value in environ.items()}
    assert passed_descriptors(mine) == expected


@pytest.mark.parametrize("count", ["x", "-1", "", "1.5", "99999", "²"])
def test_a_count_of_passed_sockets_that_is_no_number_stops_the_start(count: str) -> None:
    """A broken hand-over must not end in listening elsewhere."""
    with pytest.raises(StartupError, match="LISTEN_FDS"):
        passed_descriptors({"LISTEN_FDS": count, "LISTEN_PID": str(os.getpid())})


# --- TCP ----------------------------------------------------------------------------------------------------


def test_a_tcp_listener_is_ready_to_accept(opened: list[Listener]) -> None:
    """Bound, listening, non-blocking, not inherited by other programs; port 0 is replaced by the real one."""
    opened += open_listeners(_bind("127.0.0.1:0"), {})
    (listener,) = opened
    host, port = listener.socket.getsockname()
    assert port != 0
    assert listener.url_hint == f"http://127.0.0.1:{port}"
    assert listener.kind == "tcp"
    assert not listener.inherited
    assert listener.socket.getblocking() is False
    assert not os.get_inheritable(listener.socket.fileno())
    with socket.create_connection((host, port), timeout=5):
        accepted, _ = listener.socket.accept()
        accepted.close()


def test_the_scheme_of_the_hint_is_given_by_the_caller(opened: list[Listener]) -> None:
    """With TLS the hint says https."""
    opened += open_listeners(_bind("127.0.0.1:0"), {}, "https")
    assert opened[0].url_hint.startswith("https://127.0.0.1:")


def test_the_options_of_a_tcp_listener_are_set(opened: list[Listener]) -> None:
    """SO_REUSEADDR always, SO_REUSEPORT only when asked for, TCP_NODELAY to be inherited."""
    opened += open_listeners(_bind("127.0.0.1:0"), {})
    listening = opened[0].socket
    assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert not listening.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
    assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_two_servers_share_a_port_with_reuse_port(opened: list[Listener]) -> None:
    """--reuse-port: SO_REUSEPORT."""
    opened += open_listeners(ListenSettings(bind=("127.0.0.1:0",), reuse_port=True), {})
    port = opened[0].socket.getsockname()[1]
    opened += open_listeners(ListenSettings(bind=(f"127.0.0.1:{port}",), reuse_port=True), {})
    assert len({listener.url_hint for listener in opened}) == 1


def test_a_port_in_use_is_named(opened: list[Listener]) -> None:
    """Errors say which port and what would help."""
    opened += open_listeners(_bind("127.0.0.1:0"), {})
    port = opened[0].socket.getsockname()[1]
    with pytest.raises(StartupError) as caught:
        open_listeners(_bind(f"127.0.0.1:{port}"), {})
    assert f"port {port} is already in use" in str(caught.value)
    assert "ss -ltnp" in str(caught.value)


def test_a_closed_port_can_be_bound_again_at_once(opened: list[Listener]) -> None:
    """SO_REUSEADDR: connections of the predecessor in TIME_WAIT do not hinder."""
    (first,) = open_listeners(_bind("127.0.0.1:0"), {})
    host, port = first.socket.getsockname()
    client = socket.create_connection((host, port), timeout=5)
    accepted, _ = first.socket.accept()
    accepted.close()  # the server closes first, and so gets the TIME_WAIT
    client.close()
    first.close()
    opened += open_listeners(_bind(f"127.0.0.1:{port}"), {})
    assert opened[0].socket.getsockname()[1] == port


def test_an_address_that_no_interface_has_is_named() -> None:
    """192.0.2.0/24 is documentation space (RFC 5737): never this machine's."""
    with pytest.raises(StartupError, match=r"no interface of this machine has the address 192\.0\.2\.1"):
        open_listeners(_bind("192.0.2.1:0"), {})


def test_a_name_that_cannot_be_resolved_is_named() -> None:
    """RFC 6761 section 6.4: names under .invalid do not exist."""
    with pytest.raises(StartupError, match=r"no-such-host\.invalid:0: the host's name cannot be resolved"):
        open_listeners(_bind("no-such-host.invalid:0"), {})


def test_a_name_too_long_for_the_dns_is_refused_and_does_not_crash() -> None:
    """The IDNA codec raises UnicodeError for labels above 63 octets."""
    with pytest.raises(StartupError, match="cannot be resolved"):
        open_listeners(_bind("a" * 70 + ".example:0"), {})


@needs_no_root
def test_a_privileged_port_is_refused_with_advice() -> None:
    """Ports below 1024 need root or a capability."""
    with pytest.raises(StartupError, match="CAP_NET_BIND_SERVICE"):
        open_listeners(_bind("127.0.0.1:1"), {})


def test_permission_denied_is_explained_with_the_capability() -> None:
    """The advice for EACCES, whatever user runs the tests."""
    advice = sockets._tcp_advice(
        parse_bind("127.0.0.1:80"), PermissionError(errno.EACCES, "Permission denied")
    )
    assert "port 80" in advice
    assert "CAP_NET_BIND_SERVICE" in advice


def test_all_are_closed_when_one_cannot_be_opened(opened: list[Listener]) -> None:
    """All or nothing: after a failure the addresses that had been bound are free again."""
    opened += open_listeners(_bind("127.0.0.1:0"), {})
    busy = opened[0].socket.getsockname()[1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with pytest.raises(StartupError, match=str(busy)):
        open_listeners(ListenSettings(bind=(f"127.0.0.1:{free}", f"127.0.0.1:{busy}")), {})
    opened += open_listeners(_bind(f"127.0.0.1:{free}"), {})


@needs_ipv6
def test_ipv6_is_bound_with_a_bracketed_hint(opened: list[Listener]) -> None:
    """RFC 3986 section 3.2.2: an IPv6 address stands in brackets in a URI."""
    opened += open_listeners(_bind("[::1]:0"), {})
    port = opened[0].socket.getsockname()[1]
    assert opened[0].url_hint == f"http://[::1]:{port}"
    assert opened[0].socket.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


@needs_ipv6
def test_a_name_is_bound_at_all_of_its_addresses_with_one_port(
    opened: list[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser may try ::1 or 127.0.0.1 for localhost; both must answer at the same port."""
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),  # /etc/hosts may list it twice
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    opened += open_listeners(_bind("localhost:0"), {})
    assert [listener.socket.family for listener in opened] == [socket.AF_INET6, socket.AF_INET]
    assert len({listener.socket.getsockname()[1] for listener in opened}) == 1


def test_an_address_family_that_is_switched_off_is_left_out(
    opened: list[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """localhost in a container without IPv6: ::1 cannot be bound, 127.0.0.1 serves."""
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),  # never this machine's
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    opened += open_listeners(_bind("localhost:0"), {})
    assert [listener.socket.family for listener in opened] == [socket.AF_INET]


def test_a_port_taken_in_the_second_family_is_chosen_anew(
    opened: list[Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Port 0 and several addresses: the chosen port must be free in all of them, so the choice is retried."""
    refused: list[int] = []
    bind_one = sockets._bind_one

    def refuse_second_once(family: int, address: tuple[str, int], settings: ListenSettings) -> socket.socket:
        if address[0] == "127.0.0.2" and not refused:
            refused.append(address[1])
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return bind_one(family, address, settings)

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    monkeypatch.setattr(sockets, "_bind_one", refuse_second_once)
    opened += open_listeners(_bind("twins:0"), {})
    assert len(refused) == 1
    assert len({listener.socket.getsockname()[1] for listener in opened}) == 1
    assert len(opened) == 2


def test_a_port_never_free_in_all_families_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The retry is bounded."""

    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(sockets, "_bind_one", refuse)
    with pytest.raises(StartupError, match="in use"):
        open_listeners(_bind("127.0.0.1:0"), {})


@needs_ipv6
@pytest.mark.parametrize("text", [":0", "*:0", "[::]:0"])
def test_every_interface_means_ipv4_and_ipv6(text: str, opened: list[Listener]) -> None:
    """An empty host, and [::] as on a Linux socket without IPV6_V6ONLY, serve both families at one port."""
    opened += open_listeners(_bind(text), {})
    assert {listener.socket.family for listener in opened} == {socket.AF_INET, socket.AF_INET6}
    assert len({listener.socket.getsockname()[1] for listener in opened}) == 1


def test_an_ipv4_wildcard_means_ipv4_only(opened: list[Listener]) -> None:
    """0.0.0.0 says exactly what it is."""
    opened += open_listeners(_bind("0.0.0.0:0"), {})
    assert [listener.socket.family for listener in opened] == [socket.AF_INET]


@needs_ipv6
def test_wildcards_of_both_families_can_be_listed_together(opened: list[Listener]) -> None:
    """0.0.0.0:P with [::]:P, which includes it, is opened once per family."""
    opened += open_listeners(_bind("0.0.0.0:0"), {})
    port = opened[0].socket.getsockname()[1]
    opened.pop().close()
    opened += open_listeners(ListenSettings(bind=(f"0.0.0.0:{port}", f"[::]:{port}")), {})
    assert sorted(listener.socket.getsockname()[0] for listener in opened) == ["0.0.0.0", "::"]


def test_several_addresses_are_opened_in_the_order_given(opened: list[Listener], tmp_path: Path) -> None:
    """--bind is repeatable."""
    opened += open_listeners(ListenSettings(bind=("127.0.0.1:0", f"unix:{tmp_path}/a", "127.0.0.2:0")), {})
    assert [listener.kind for listener in opened] == ["tcp", "unix", "tcp"]


# --- Unix sockets -------------------------------------------------------------------------------------------


def test_a_unix_listener_accepts_and_removes_its_path(tmp_path: Path) -> None:
    """The path appears with the socket and goes with it."""
    path = tmp_path / "app.sock"
    (listener,) = open_listeners(ListenSettings(uds=str(path)), {})
    assert listener.url_hint == f"unix:{path}"
    assert listener.kind == "unix"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    listener.close()
    assert not path.exists()
    listener.close()  # closing twice is harmless


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, 0o777, 0o000])
def test_the_mode_of_a_unix_socket_is_set_whatever_the_umask(mode: int, tmp_path: Path) -> None:
    """The mode is right at the moment the path appears, and the process's umask is left as it was."""
    before = os.umask(0o027)
    try:
        (listener,) = open_listeners(ListenSettings(uds=str(tmp_path / "s"), uds_mode=mode), {})
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == mode
    listener.close()


def test_the_default_mode_of_a_unix_socket_is_0660(tmp_path: Path) -> None:
    """safety.md section 1."""
    (listener,) = open_listeners(ListenSettings(uds=str(tmp_path / "s")), {})
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660
    listener.close()


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    """What a killed server left behind does not hinder the next start (safety.md section 3)."""
    path = str(tmp_path / "s")
    crashed = socket.socket(socket.AF_UNIX)
    crashed.bind(path)
    crashed.listen()
    crashed.close()
    (listener,) = open_listeners(ListenSettings(uds=path), {})
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    listener.close()


def test_a_live_socket_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A second server must not steal the path of a running one."""
    path = str(tmp_path / "s")
    (first,) = open_listeners(ListenSettings(uds=path), {})
    with pytest.raises(StartupError, match="in use"):
        open_listeners(ListenSettings(uds=path), {})
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    first.close()


def test_a_live_socket_with_a_full_backlog_is_refused(tmp_path: Path) -> None:
    """A busy server does not take the probe at once; that is no sign of death."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(path)
        busy.listen(0)
        waiting = []
        try:
            while True:
                client = socket.socket(socket.AF_UNIX)
                waiting.append(client)
                client.setblocking(False)
                client.connect(path)
        except BlockingIOError:
            pass
        with pytest.raises(StartupError, match="in use"):
            open_listeners(ListenSettings(uds=path), {})
        assert os.path.exists(path)
        for client in waiting:
            client.close()


def test_a_symbolic_link_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Neither the link nor what it points to may be touched (safety.md section 3)."""
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "s"
    link.symlink_to(target)
    with pytest.raises(StartupError, match="symbolic link"):
        open_listeners(ListenSettings(uds=str(link)), {})
    assert link.is_symlink()
    assert target.read_text() == "precious"


def test_a_dangling_symbolic_link_is_refused(tmp_path: Path) -> None:
    """bind() would otherwise say "in use", which helps nobody."""
    link = tmp_path / "s"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StartupError, match="symbolic link"):
        open_listeners(ListenSettings(uds=str(link)), {})


def test_a_symbolic_link_to_a_stale_socket_is_refused(tmp_path: Path) -> None:
    """Also where following it would work."""
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "real"))
    stale.close()
    (tmp_path / "s").symlink_to(tmp_path / "real")
    with pytest.raises(StartupError, match="symbolic link"):
        open_listeners(ListenSettings(uds=str(tmp_path / "s")), {})
    assert (tmp_path / "real").exists()


@pytest.mark.parametrize("kind", ["file", "directory", "fifo"])
def test_what_is_not_a_socket_is_refused_and_left_alone(kind: str, tmp_path: Path) -> None:
    """A mistyped path must not cost a file."""
    path = tmp_path / "s"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    before = path.lstat().st_ino
    with pytest.raises(StartupError, match="not a socket"):
        open_listeners(ListenSettings(uds=str(path)), {})
    assert path.lstat().st_ino == before


def test_a_socket_of_another_type_is_refused(tmp_path: Path) -> None:
    """A datagram socket (a log daemon's) refuses the probe with EPROTOTYPE: not stale, not ours."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(StartupError, match=f"unix:{path}"):
            open_listeners(ListenSettings(uds=str(path)), {})
        assert path.exists()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """The message says what to create."""
    with pytest.raises(StartupError, match=f"the directory {tmp_path}/no does not exist"):
        open_listeners(ListenSettings(uds=str(tmp_path / "no" / "s")), {})


def test_a_path_that_is_too_long_is_refused_with_its_length(tmp_path: Path) -> None:
    """sun_path holds 108 octets on Linux, the closing NUL included."""
    path = str(tmp_path / ("x" * 120))
    with pytest.raises(StartupError, match=f"too long: {len(path)} octets"):
        open_listeners(ListenSettings(uds=path), {})


@needs_no_root
def test_a_directory_without_permission_is_named(tmp_path: Path) -> None:
    """The message says who must be able to write where."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StartupError, match=f"write to {tmp_path}"):
            open_listeners(ListenSettings(uds=str(tmp_path / "s")), {})
    finally:
        tmp_path.chmod(0o700)


def test_permission_for_a_path_is_explained() -> None:
    """The advice for EACCES, whatever user runs the tests."""
    advice = sockets._unix_advice("/run/s", PermissionError(errno.EACCES, "Permission denied"))
    assert "write to /run" in advice


def test_a_path_that_has_become_somebody_elses_is_not_removed(tmp_path: Path) -> None:
    """After a successor has taken the path over, closing the predecessor leaves the successor reachable."""
    path = str(tmp_path / "s")
    (first,) = open_listeners(ListenSettings(uds=path), {})
    os.unlink(path)
    (second,) = open_listeners(ListenSettings(uds=path), {})
    first.close()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    second.close()
    assert not os.path.exists(path)


def test_an_abandoned_listener_leaves_its_path(tmp_path: Path) -> None:
    """In an upgrade the successor holds the same socket and serves on."""
    path = tmp_path / "s"
    (listener,) = open_listeners(ListenSettings(uds=str(path)), {})
    listener.abandon()
    assert path.exists()


def test_a_child_process_does_not_remove_the_path(tmp_path: Path) -> None:
    """A worker that ends closes its copy; the path belongs to the process that made it."""
    path = tmp_path / "s"
    (listener,) = open_listeners(ListenSettings(uds=str(path)), {})
    child = os.fork()
    if child == 0:
        listener.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert path.exists()
    listener.close()
    assert not path.exists()


def test_a_relative_path_is_removed_after_a_change_of_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is made absolute when it is bound."""
    monkeypatch.chdir(tmp_path)
    (listener,) = open_listeners(_bind("unix:app.sock"), {})
    monkeypatch.chdir("/")
    assert listener.url_hint == f"unix:{tmp_path}/app.sock"
    listener.close()
    assert not (tmp_path / "app.sock").exists()


def test_one_path_in_two_spellings_is_opened_once(tmp_path: Path, opened: list[Listener]) -> None:
    """The second spelling does not meet the first one's live socket."""
    (tmp_path / "d").mkdir()
    opened += open_listeners(
        ListenSettings(bind=(f"unix:{tmp_path}/s", f"unix:{tmp_path}/d/../s"), uds=str(tmp_path / "s")), {}
    )
    assert len(opened) == 1


def test_a_path_is_removed_when_a_later_address_fails(tmp_path: Path) -> None:
    """All or nothing, for paths too."""
    with pytest.raises(StartupError):
        open_listeners(ListenSettings(bind=(f"unix:{tmp_path}/s", "192.0.2.1:0")), {})
    assert not (tmp_path / "s").exists()


# --- inherited sockets --------------------------------------------------------------------------------------


def test_an_inherited_tcp_socket_is_adopted(opened: list[Listener]) -> None:
    """--fd: the socket itself is used, so that closing the listener ends the listening."""
    passed = socket.create_server(("127.0.0.1", 0))
    port = passed.getsockname()[1]
    opened += open_listeners(ListenSettings(fd=passed.detach()), {})
    (listener,) = opened
    assert listener.inherited
    assert listener.kind == "tcp"
    assert listener.url_hint == f"http://127.0.0.1:{port}"
    assert listener.socket.getblocking() is False
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_the_path_of_an_inherited_unix_socket_stays(tmp_path: Path) -> None:
    """It belongs to whoever made it: a service manager keeps listening there."""
    path = tmp_path / "s"
    passed = socket.socket(socket.AF_UNIX)
    passed.bind(str(path))
    passed.listen()
    (listener,) = open_listeners(_bind(f"fd://{passed.detach()}"), {})
    assert listener.url_hint == f"unix:{path}"
    listener.close()
    assert path.exists()


def test_an_inherited_abstract_unix_socket_has_a_readable_hint(opened: list[Listener]) -> None:
    """Names in Linux's abstract namespace begin with a NUL; @ is how tools write them."""
    passed = socket.socket(socket.AF_UNIX)
    passed.bind(f"\0alsvid-test-{os.getpid()}")
    passed.listen()
    opened += open_listeners(ListenSettings(fd=passed.detach()), {})
    assert opened[0].url_hint == f"unix:@alsvid-test-{os.getpid()}"


@pytest.mark.parametrize("kind", ["closed", "file", "datagram", "not listening", "connected"])
def test_an_unfit_descriptor_is_refused_and_left_open(kind: str, tmp_path: Path) -> None:
    """Only listening stream sockets can be served from; the caller's descriptor is not closed."""
    mine: list[object] = []
    if kind == "file":
        descriptor = os.open(tmp_path / "f", os.O_CREAT | os.O_RDWR)
    elif kind == "datagram":
        descriptor = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()
    elif kind == "connected":
        left, right = socket.socketpair()
        mine.append(right)
        descriptor = left.detach()
    else:
        descriptor = socket.socket().detach()
    if kind == "closed":
        os.close(descriptor)
    with pytest.raises(StartupError, match=f"fd://{descriptor}: "):
        open_listeners(ListenSettings(fd=descriptor), {})
    if kind != "closed":
        os.close(descriptor)
    for other in mine:
        other.close()  # type: ignore[attr-defined]


def test_an_inherited_socket_stays_open_when_another_address_fails() -> None:
    """Until all is well, what was passed in is the caller's."""
    with socket.create_server(("127.0.0.1", 0)) as passed:
        with pytest.raises(StartupError):
            open_listeners(ListenSettings(fd=passed.fileno(), bind=("192.0.2.1:0",)), {})
        with socket.create_connection(passed.getsockname(), timeout=5):
            pass


def test_an_address_that_was_passed_already_is_not_bound_again(opened: list[Listener]) -> None:
    """A bind in a file, and the same address in the unit of the service manager: one listener, no error."""
    passed = socket.create_server(("127.0.0.1", 0))
    port = passed.getsockname()[1]
    opened += open_listeners(ListenSettings(fd=passed.detach(), bind=(f"127.0.0.1:{port}",)), {})
    assert len(opened) == 1


def test_sockets_of_a_service_manager_are_served() -> None:
    """LISTEN_FDS: the sockets are descriptors 3 and up of the process whose id is LISTEN_PID."""
    program = textwrap.dedent(
        """
        import os, sys
        from alsvid.net.settings import ListenSettings
        from alsvid.net.sockets import open_listeners
        os.dup2(int(sys.argv[1]), 3)
        os.dup2(int(sys.argv[2]), 4)
        environ = {"LISTEN_FDS": "2", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "a:b"}
        for settings in (ListenSettings(bind=("fd://b",)), ListenSettings()):
            listeners = open_listeners(settings, environ)
            print(*(l.url_hint for l in listeners), *(l.socket.detach() for l in listeners))
        """
    )
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        # Away from 3 and 4, so that the program's dup2 overwrites neither.
        spare = [os.dup(listening.fileno()) for listening in (one, two) for _ in range(4)]
        first, second = spare[3], spare[7]
        run = subprocess.run(
            [sys.executable, "-c", program, str(first), str(second)],
            pass_fds=(first, second),
            capture_output=True,
            text=True,
            check=False,
        )
        for descriptor in spare:
            os.close(descriptor)
        urls = [f"http://127.0.0.1:{listening.getsockname()[1]}" for listening in (one, two)]
    assert run.stdout.splitlines() == [f"{urls[1]} 4", f"{urls[0]} {urls[1]} 3 4"], run.stderr

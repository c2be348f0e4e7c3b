"""X-Forwarded-… and Forwarded: whose word counts, how far back it is followed, what changes in a scope."""

from __future__ import annotations

import random
from typing import Any

import pytest

from alsvid.asgi import forwarded
from alsvid.asgi.forwarded import ForwardedRules, parse_node
from alsvid.asgi.settings import ForwardedSettings
from alsvid.errors import ConfigError
from alsvid.protocol.http import trust
from alsvid.protocol.http.trust import TrustedPeers, canonical_address

PEER = ("10.0.0.1", 4711)
PROXIES = ("10.0.0.0/8", "2001:db8:ffff::/48")


def rules(*allow: str, **more: Any) -> ForwardedRules:
    return ForwardedRules(ForwardedSettings(forwarded_allow_ips=allow or PROXIES), **more)


def applied(*fields: tuple[str, str], kind: str = "http", by: ForwardedRules | None = None) -> dict[str, Any]:
    """Return a scope with these fields after the rules; Host: internal:8000 comes first."""
    scope: dict[str, Any] = {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "client": PEER,
        "server": ("127.0.0.1", 8000),
        "headers": [(b"host", b"internal:8000")]
        + [(name.encode(), value.encode("latin-1")) for name, value in fields],
    }
    (by or rules()).apply(scope)
    return scope


def client_of(*fields: tuple[str, str], by: ForwardedRules | None = None) -> tuple[str, int]:
    client: tuple[str, int] = applied(*fields, by=by)["client"]
    return client


def host_of(scope: dict[str, Any]) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"host"]


def xff(value: str) -> tuple[str, str]:
    return ("x-forwarded-for", value)


def fwd(value: str) -> tuple[str, str]:
    return ("forwarded", value)


# --- who is trusted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "peer", "trusted"),
    [
        (("127.0.0.1",), "127.0.0.1", True),
        (("127.0.0.1",), "127.0.0.2", False),
        (("127.0.0.1",), "::1", False),
        (("127.0.0.1", "::1"), "::1", True),
        (("127.0.0.1", "::1"), "192.0.2.1", False),
        (("192.0.2.0/24",), "192.0.2.255", True),
        (("192.0.2.0/24",), "192.0.3.0", False),
        (("192.0.2.0/24", "198.51.100.7"), "198.51.100.7", True),
        (("2001:db8::/32",), "2001:db8:1::1", True),
        (("2001:db8::/32",), "2001:DB8:1:0::1", True),
        (("2001:db8::/32",), "2001:db9::1", False),
        (("0.0.0.0/0",), "203.0.113.9", True),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("10.0.0.1",), "::ffff:10.0.0.1", True),
        (("::ffff:10.0.0.1",), "10.0.0.1", True),
        (("::ffff:10.0.0.0/104",), "10.9.9.9", True),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("*",), "203.0.113.9", True),
        (("*",), "2001:db8::1", True),
        (("*",), "", True),
        (("*",), None, True),
        (("unix:",), None, True),
        (("unix:",), "", True),
        (("unix:",), "127.0.0.1", False),
        (("127.0.0.1",), None, True),
        (("::1",), None, True),
        (("127.0.0.0/8",), None, True),
        (("10.0.0.1",), None, False),
        (("10.0.0.1",), "", False),
        (("10.0.0.1", "unix:"), None, True),
        ((), "127.0.0.1", False),
        ((), None, False),
        ((" 10.0.0.1 ", ""), "10.0.0.1", True),
        (("10.0.0.1",), "not an address", False),
        (("10.0.0.1",), "10.0.0.01", False),
    ],
)
def test_a_peer_is_trusted_by_address_network_kind_or_star(
    allow: tuple[str, ...], peer: str | None, trusted: bool
) -> None:
    """Addresses are compared as numbers; a Unix socket goes with loopback, `unix:` and `*`."""
    peers = TrustedPeers(allow, "--forwarded-allow-ips")
    assert peers.trusts(peer) is trusted
    assert peers.trusts(peer) is trusted  # from the cache


def test_loopback_and_unix_sockets_are_trusted_by_default() -> None:
    """safety.md section 1: trusted proxies are loopback only."""
    default = ForwardedRules(ForwardedSettings())
    assert [default.trusts(peer) for peer in ("127.0.0.1", "::1", None, "192.0.2.1", "10.0.0.1")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_nobody_is_trusted_without_proxy_headers() -> None:
    """--no-proxy-headers wins over every list."""
    off = ForwardedRules(ForwardedSettings(proxy_headers=False, forwarded_allow_ips=("*",)))
    assert not off.trusts("127.0.0.1")
    assert not off.trusts(None)


@pytest.mark.parametrize(
    "entry", ["localhost", "10.0.0.256", "10.0.0.1/8", "10.0.0.0/33", "::g", "unix:/run/x", "**"]
)
def test_an_entry_that_is_not_understood_stops_the_start(entry: str) -> None:
    """Fail closed, naming option and entry."""
    with pytest.raises(ConfigError) as caught:
        rules(entry)
    assert "--forwarded-allow-ips" in str(caught.value)
    assert entry in str(caught.value)


def test_the_cache_of_peers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many addresses must not become much memory."""
    monkeypatch.setattr(trust, "_CACHE_ENTRIES", 10)
    peers = TrustedPeers(("10.0.0.0/8",), "--forwarded-allow-ips")
    for number in range(100):
        assert peers.trusts(f"10.0.0.{number}")
        assert not peers.trusts(f"11.0.0.{number}")
        assert len(peers._answers) <= 10


# --- one address --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.1:80", ("192.0.2.1", 80)),
        ("192.0.2.1:0", ("192.0.2.1", 0)),
        ("192.0.2.1:65535", ("192.0.2.1", 65535)),
        ("192.0.2.1:_hidden", ("192.0.2.1", 0)),
        ("2001:db8::1", ("2001:db8::1", 0)),
        ("2001:DB8:0:0::1", ("2001:db8::1", 0)),
        ("[2001:db8::1]", ("2001:db8::1", 0)),
        ("[2001:db8::1]:4711", ("2001:db8::1", 4711)),
        ("[2001:db8::1]:_p", ("2001:db8::1", 0)),
        ("::ffff:192.0.2.1", ("192.0.2.1", 0)),
        ("[::ffff:192.0.2.1]:5", ("192.0.2.1", 5)),
        ("::", ("::", 0)),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("_SEVKISEK", None),
        ("example.com", None),
        ("192.0.2.1:", None),
        ("192.0.2.1:65536", None),
        ("192.0.2.1:123456", None),
        ("192.0.2.1:-1", None),
        ("192.0.2.1:8o", None),
        ("192.0.2.1:_a b", None),
        ("192.0.2", None),
        ("192.0.2.1.1", None),
        ("192.0.2.01", None),
        ("192.0.2.256", None),
        ("0x7f000001", None),
        ("2130706433", None),
        ("١.٢.٣.٤", None),
        ("[192.0.2.1]", None),
        ("[2001:db8::1", None),
        ("2001:db8::1]", None),
        ("[2001:db8::1]x", None),
        ("[2001:db8::1]:", None),
        ("[2001:db8::1]80", None),
        ("[]", None),
        ("fe80::1%eth0", None),
        ("::1%\x1b[31m", None),
        ("192.0.2.1 ", None),
        ("192.0.2.1/32", None),
        ("'192.0.2.1'", None),
    ],
)
def test_a_node_is_an_address_with_an_optional_port(text: str, node: tuple[str, int] | None) -> None:
    """RFC 7239 section 6, and the bare IPv6 addresses of X-Forwarded-For."""
    assert parse_node(text) == node


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:0DB8::0001", "2001:db8::1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("localhost", None),
        ("1.2.3", None),
    ],
)
def test_an_address_has_one_canonical_form(text: str, canonical: str | None) -> None:
    """RFC 5952 section 4; a mapped IPv4 address is an IPv4 address."""
    assert canonical_address(text) == canonical


# --- X-Forwarded-For ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("192.0.2.1", ("192.0.2.1", 0)),
        ("  192.0.2.1\t", ("192.0.2.1", 0)),
        ("192.0.2.1:4000", ("192.0.2.1", 4000)),
        ("2001:db8::1", ("2001:db8::1", 0)),
        ("[2001:db8::1]:4000", ("2001:db8::1", 4000)),
        ("192.0.2.1, 10.0.0.2", ("192.0.2.1", 0)),
        ("192.0.2.1,10.0.0.2,10.0.0.3", ("192.0.2.1", 0)),
        ("192.0.2.1, 2001:db8:ffff::5", ("192.0.2.1", 0)),
        # What stands left of the right-most untrusted address is the client's own invention.
        ("127.0.0.1, 192.0.2.1", ("192.0.2.1", 0)),
        ("10.0.0.9, 192.0.2.1", ("192.0.2.1", 0)),
        ("198.51.100.1, 192.0.2.1, 10.0.0.2", ("192.0.2.1", 0)),
        ("junk, 192.0.2.1", ("192.0.2.1", 0)),
        (", , 192.0.2.1", ("192.0.2.1", 0)),
        # All trusted: the one that is furthest away.
        ("10.0.0.3, 10.0.0.2", ("10.0.0.3", 0)),
        ("10.0.0.2", ("10.0.0.2", 0)),
        # What cannot be read ends the reading at the last good trusted hop.
        ("junk", PEER),
        ("unknown", PEER),
        ("_hidden", PEER),
        ("192.0.2.1, junk", PEER),
        ("192.0.2.1, junk, 10.0.0.2", ("10.0.0.2", 0)),
        ("192.0.2.1, unknown, 10.0.0.2", ("10.0.0.2", 0)),
        ("192.0.2.1, 10.0.0.2:99999", PEER),
        ("192.0.2.1, example.com, 10.0.0.3, 10.0.0.2", ("10.0.0.3", 0)),
        ("192.0.2.1 10.0.0.2", PEER),
        ("192.0.2.1; 10.0.0.2", PEER),
        ("x" * 8000, PEER),
        ("192.0.2.1, " + "x" * 100, PEER),
        # RFC 9110 section 5.6.1: empty elements of a list are ignored.
        ("", PEER),
        (",", PEER),
        (",,,", PEER),
        ("192.0.2.1,,10.0.0.2,", ("192.0.2.1", 0)),
        # A hop over a Unix socket as nginx writes it; not trusted by this list, so reading ends there.
        ("192.0.2.1, unix:", PEER),
        ("192.0.2.1, unix:, 10.0.0.2", ("10.0.0.2", 0)),
    ],
)
def test_the_client_is_the_right_most_untrusted_address(value: str, client: tuple[str, int]) -> None:
    """Proxies append: reading goes from the right, through trusted proxies, to the first other address."""
    assert client_of(xff(value)) == client


def test_a_trusted_hop_over_a_unix_socket_is_passed() -> None:
    """nginx behind nginx on a Unix socket: "192.0.2.1, unix:"."""
    by = rules("10.0.0.0/8", "unix:")
    assert client_of(xff("192.0.2.1, unix:"), by=by) == ("192.0.2.1", 0)
    assert client_of(xff("unix:"), by=by) == PEER


def test_with_star_the_left_most_address_is_the_client() -> None:
    """Everybody is trusted, so nobody ends the reading; the danger is documented at the option."""
    assert client_of(xff("203.0.113.5, 192.0.2.1, 10.0.0.2"), by=rules("*")) == ("203.0.113.5", 0)


def test_several_lines_are_one_list_in_their_order() -> None:
    """RFC 9110 section 5.3: a proxy may append by adding a line."""
    assert client_of(xff("198.51.100.1"), xff("192.0.2.1"), xff("10.0.0.2")) == ("192.0.2.1", 0)
    assert client_of(xff("192.0.2.1, 10.0.0.3"), ("accept", "*/*"), xff("10.0.0.2")) == ("192.0.2.1", 0)
    assert client_of(xff("192.0.2.1"), xff("junk")) == PEER


def test_without_such_fields_nothing_changes() -> None:
    """Fields that only look alike do not count."""
    before = applied()
    assert (
        applied(("x-forwarded-server", "a"), ("x-real-ip", "192.0.2.1"), ("via", "1.1 a"))["client"] == PEER
    )
    assert before["scheme"] == "http"
    assert host_of(before) == [b"internal:8000"]


def test_the_servers_own_address_is_never_changed() -> None:
    """ASGI HTTP: server is where the server listens."""
    scope = applied(
        xff("192.0.2.1"), ("x-forwarded-host", "example.com"), ("x-forwarded-port", "8443"), fwd("host=other")
    )
    assert scope["server"] == ("127.0.0.1", 8000)


def test_the_client_of_a_unix_socket_is_filled_in() -> None:
    """Without an address of the peer, the field is all there is."""
    scope: dict[str, Any] = {
        "type": "http",
        "scheme": "http",
        "client": None,
        "headers": [(b"x-forwarded-for", b"192.0.2.1")],
    }
    rules("unix:").apply(scope)
    assert scope["client"] == ("192.0.2.1", 0)


# --- X-Forwarded-Proto --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "http", "websocket"),
    [
        ("https", "https", "wss"),
        ("http", "http", "ws"),
        ("HTTPS", "https", "wss"),
        (" https ", "https", "wss"),
        ("wss", "https", "wss"),
        ("ws", "http", "ws"),
        ("ftp", "http", "ws"),
        ("javascript", "http", "ws"),
        ("https:", "http", "ws"),
        ("https://", "http", "ws"),
        ("", "http", "ws"),
        ("on", "http", "ws"),
        ("https\xe9", "http", "ws"),
    ],
)
def test_the_scheme_is_one_of_those_that_the_scope_may_have(value: str, http: str, websocket: str) -> None:
    """ASGI: http or https for HTTP, ws or wss for WebSocket; anything else is ignored."""
    assert applied(("x-forwarded-proto", value))["scheme"] == http
    assert applied(("x-forwarded-proto", value), kind="websocket")["scheme"] == websocket


@pytest.mark.parametrize(
    ("addresses", "protos", "scheme"),
    [
        # Lists that are in step: the entry of the address that counts.
        ("192.0.2.1, 10.0.0.2", "https, http", "https"),
        ("192.0.2.1, 10.0.0.2", "http, https", "http"),
        # A client's own entries on the left shift nothing.
        ("198.51.100.1, 192.0.2.1, 10.0.0.2", "https, http", "https"),
        ("198.51.100.1, 192.0.2.1", "https, http", "http"),
        ("192.0.2.1", "https, http", "http"),
        ("192.0.2.1", "http,https", "https"),
        # One entry: the last proxy overwrites.
        ("192.0.2.1, 10.0.0.2", "https", "https"),
        ("192.0.2.1, 10.0.0.3, 10.0.0.2", "https", "https"),
        # Fewer entries than hops: the last is surest.
        ("192.0.2.1, 10.0.0.3, 10.0.0.2", "https, http", "http"),
        ("192.0.2.1", ",", "http"),
        ("192.0.2.1", "https,", "https"),
        # The address cannot be read, its scheme can.
        ("junk", "https", "https"),
        ("", "https", "https"),
    ],
)
def test_the_scheme_belongs_to_the_address_that_counts(addresses: str, protos: str, scheme: str) -> None:
    """With several proxies, the scheme is the one that the client used to reach the first of them."""
    assert applied(xff(addresses), ("x-forwarded-proto", protos))["scheme"] == scheme


def test_the_scheme_alone_is_enough() -> None:
    """Balancers that keep the address by other means send X-Forwarded-Proto alone."""
    scope = applied(("x-forwarded-proto", "https"))
    assert (scope["scheme"], scope["client"]) == ("https", PEER)


# --- X-Forwarded-Host and -Port -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "port", "proto", "result"),
    [
        ("example.com", None, "https", "example.com"),
        ("example.com:8443", None, "https", "example.com:8443"),
        ("[2001:db8::1]", None, "https", "[2001:db8::1]"),
        ("[2001:db8::1]:8443", None, "https", "[2001:db8::1]:8443"),
        ("example.com", "443", "https", "example.com"),
        ("example.com", "80", "http", "example.com"),
        ("example.com", "80", "https", "example.com:80"),
        ("example.com", "443", "http", "example.com:443"),
        ("example.com", "8443", "https", "example.com:8443"),
        ("[2001:db8::1]", "8443", "https", "[2001:db8::1]:8443"),
        ("example.com:444", "8443", "https", "example.com:444"),
        ("[2001:db8::1]:444", "8443", "https", "[2001:db8::1]:444"),
        ("example.com", "0", "https", "example.com"),
        ("example.com", "65536", "https", "example.com"),
        ("example.com", "8o", "https", "example.com"),
        ("example.com", "_x", "https", "example.com"),
        ("example.com", "-1", "https", "example.com"),
        ("example.com", "", "https", "example.com"),
        ("example.com", "08443", "https", "example.com:8443"),
        ("inner.example, example.com", None, "https", "example.com"),
        # Invalid: ignored entirely, the port too.
        ("", "8443", "https", "internal:8000"),
        ("user@example.com", None, "https", "internal:8000"),
        ("example.com/path", None, "https", "internal:8000"),
        ("example.com?x", None, "https", "internal:8000"),
        ("example.com#x", None, "https", "internal:8000"),
        ("exa mple.com", None, "https", "internal:8000"),
        ("example.com:99999", None, "https", "internal:8000"),
        ("example.com:x", None, "https", "internal:8000"),
        ("http://example.com", None, "https", "internal:8000"),
        ("[::1", None, "https", "internal:8000"),
        ("::1", None, "https", "internal:8000"),
        ('"example.com"', None, "https", "internal:8000"),
        ("ex\xe4mple.com", None, "https", "internal:8000"),
        ("example.com\\x", None, "https", "internal:8000"),
        ("a@b, ", "8443", "https", "internal:8000"),
        # A port alone says nothing of the name that the client used.
        (None, "8443", "https", "internal:8000"),
    ],
)
def test_the_host_is_replaced_when_it_is_valid(
    host: str | None, port: str | None, proto: str, result: str
) -> None:
    """uri-host[:port] (RFC 9110 section 7.2); the field's port is added where it is not the usual one."""
    fields = [("x-forwarded-proto", proto)]
    if host is not None:
        fields.append(("x-forwarded-host", host))
    if port is not None:
        fields.append(("x-forwarded-port", port))
    assert host_of(applied(*fields)) == [result.encode()]


def test_the_usual_port_is_the_one_of_the_scheme_of_a_websocket() -> None:
    """wss goes with 443, ws with 80 (RFC 6455 section 3)."""
    fields = [("x-forwarded-host", "a"), ("x-forwarded-port", "443")]
    assert host_of(applied(*fields, ("x-forwarded-proto", "wss"), kind="websocket")) == [b"a"]
    assert host_of(applied(*fields, ("x-forwarded-proto", "ws"), kind="websocket")) == [b"a:443"]


def test_the_host_belongs_to_the_address_that_counts() -> None:
    """Proxies that append to X-Forwarded-Host, as to the addresses, keep the lists in step."""
    scope = applied(xff("192.0.2.1, 10.0.0.2"), ("x-forwarded-host", "spoof, example.com, inner"))
    assert host_of(scope) == [b"example.com"]


def test_a_missing_host_is_filled_in_and_the_other_fields_stay() -> None:
    """HTTP/1.0 has no Host; the head's own list is not changed."""
    headers = [(b"accept", b"*/*"), (b"x-forwarded-host", b"example.com")]
    scope: dict[str, Any] = {"type": "http", "scheme": "http", "client": PEER, "headers": headers}
    rules().apply(scope)
    assert scope["headers"] == [(b"host", b"example.com"), *headers]
    assert len(headers) == 2


def test_the_order_of_fields_is_kept() -> None:
    """The host is replaced in its place, everything else is passed on."""
    scope = applied(("accept", "*/*"), ("x-forwarded-host", "example.com"))
    assert scope["headers"] == [
        (b"host", b"example.com"),
        (b"accept", b"*/*"),
        (b"x-forwarded-host", b"example.com"),
    ]


def test_the_host_can_be_left_alone() -> None:
    """For proxies that pass a client's own X-Forwarded-Host on."""
    by = rules(host=False)
    assert host_of(applied(("x-forwarded-host", "evil.example"), by=by)) == [b"internal:8000"]
    scope = applied(fwd("for=192.0.2.1;host=evil.example;proto=https"), by=by)
    assert host_of(scope) == [b"internal:8000"]
    assert (scope["client"], scope["scheme"]) == (("192.0.2.1", 0), "https")


# --- Forwarded ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=192.0.2.1", ("192.0.2.1", 0)),
        ("For=192.0.2.1", ("192.0.2.1", 0)),
        ('for="192.0.2.1"', ("192.0.2.1", 0)),
        ('for="192.0.2.1:4711"', ("192.0.2.1", 4711)),
        ('For="[2001:db8:cafe::17]:4711"', ("2001:db8:cafe::17", 4711)),
        ('for="[2001:db8::1]"', ("2001:db8::1", 0)),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", ("192.0.2.60", 0)),
        ("by=203.0.113.43;for=192.0.2.60", ("192.0.2.60", 0)),
        ("for=192.0.2.43, for=10.0.0.2", ("192.0.2.43", 0)),
        ("for=192.0.2.43,for=10.0.0.3,for=10.0.0.2", ("192.0.2.43", 0)),
        ('for=192.0.2.43, for="[2001:db8:ffff::2]"', ("192.0.2.43", 0)),
        ("for=127.0.0.1, for=192.0.2.43", ("192.0.2.43", 0)),
        ("for=10.0.0.9, for=192.0.2.43, for=10.0.0.2", ("192.0.2.43", 0)),
        ("for=10.0.0.3, for=10.0.0.2", ("10.0.0.3", 0)),
        (" for=192.0.2.1 ; proto=https ", ("192.0.2.1", 0)),
        ("for=192.0.2.1;", ("192.0.2.1", 0)),
        (";for=192.0.2.1", ("192.0.2.1", 0)),
        ("for=192.0.2.1;;proto=https", ("192.0.2.1", 0)),
        (", ,for=192.0.2.1,", ("192.0.2.1", 0)),
        ('for=192.0.2.1;secret="a, b; c"', ("192.0.2.1", 0)),
        ("for=192.0.2.1;x-ext=1", ("192.0.2.1", 0)),
        # Proxies that forget the quotes: unambiguous, so it passes.
        ("for=192.0.2.1:4711", ("192.0.2.1", 4711)),
        ("for=[2001:db8::1]:4711", ("2001:db8::1", 4711)),
        ('for="192.0.2.1:_port"', ("192.0.2.1", 0)),
        # Identifiers that are no addresses end the reading (RFC 7239 sections 6.2 and 6.3).
        ("for=unknown", PEER),
        ("for=_hidden", PEER),
        ("for=192.0.2.1, for=_gazonk, for=10.0.0.2", ("10.0.0.2", 0)),
        ("for=192.0.2.1, for=unknown", PEER),
        ("for=192.0.2.1, proto=https", PEER),
        ("for=192.0.2.1, by=10.0.0.2, for=10.0.0.3", ("10.0.0.3", 0)),
        # Broken grammar ends it as well.
        ("for=192.0.2.1, for", PEER),
        ("for=192.0.2.1, for=", PEER),
        ("for=192.0.2.1, =10.0.0.2", PEER),
        ("for=192.0.2.1, for =10.0.0.2", PEER),
        ("for=192.0.2.1, for= 10.0.0.2", PEER),
        ("for=192.0.2.1, for=10.0.0.2;for=10.0.0.3", PEER),
        ("for=192.0.2.1, for=10.0.0.2 10.0.0.3", PEER),
        ('for=192.0.2.1, for="10.0.0.2', PEER),
        ('for=192.0.2.1, for=10.0.0.2"', PEER),
        ('for=192.0.2.1, for=1"0.0.0.2', PEER),
        ('for=192.0.2.1, for="10.0.0.2"x', PEER),
        ('for=192.0.2.1, for="10.0\\.0.2"', PEER),
        ('for=192.0.2.1, for=""', PEER),
        ('for=192.0.2.1, for="', PEER),
        ("192.0.2.1", PEER),
        ("junk", PEER),
        ("", PEER),
        # What a client leaves unfinished cannot swallow what the proxy appends.
        ('for=", for=192.0.2.1', ("192.0.2.1", 0)),
        ('for="x, for=192.0.2.1', ("192.0.2.1", 0)),
        ('for="10.0.0.9;proto="https, for=192.0.2.1', ("192.0.2.1", 0)),
        ('", for="[2001:db8::1]:5"', ("2001:db8::1", 5)),
        ('a="\\", for="192.0.2.1"', ("192.0.2.1", 0)),
        ("for=192.0.2.1\\, for=192.0.2.2", ("192.0.2.2", 0)),
    ],
)
def test_the_client_is_the_right_most_untrusted_node(value: str, client: tuple[str, int]) -> None:
    """RFC 7239 sections 4 to 6, read from the right through trusted proxies."""
    assert client_of(fwd(value)) == client


def test_several_lines_of_forwarded_are_one_list() -> None:
    """RFC 7239 section 4: "Forwarded" can occur in several lines, in the order of the proxies."""
    assert client_of(fwd("for=198.51.100.1"), fwd("for=192.0.2.1"), fwd("for=10.0.0.2")) == ("192.0.2.1", 0)
    assert client_of(fwd('for="'), fwd("for=192.0.2.1")) == ("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("value", "scheme", "host"),
    [
        ("for=192.0.2.1;proto=https", "https", "internal:8000"),
        ("for=192.0.2.1;proto=https;host=example.com", "https", "example.com"),
        ('for=192.0.2.1;host="example.com:8443"', "http", "example.com:8443"),
        ("for=192.0.2.1;host=example.com:8443", "http", "example.com:8443"),
        ('for=192.0.2.1;host="[2001:db8::1]:8443"', "http", "[2001:db8::1]:8443"),
        ("proto=https", "https", "internal:8000"),
        ("proto=https;host=example.com", "https", "example.com"),
        ("for=unknown;proto=https;host=example.com", "https", "example.com"),
        # The proxy that the client talked to knows best; others fill in what it does not tell.
        (
            "for=192.0.2.1;proto=https;host=a.example, for=10.0.0.2;proto=http;host=b.example",
            "https",
            "a.example",
        ),
        ("for=192.0.2.1, for=10.0.0.2;proto=https;host=b.example", "https", "b.example"),
        # The client's own element is not read.
        ("for=10.0.0.9;proto=https;host=evil.example, for=192.0.2.1", "http", "internal:8000"),
        ("proto=https;host=evil.example, for=192.0.2.1;proto=http", "http", "internal:8000"),
        # Invalid values are ignored, each by itself.
        ("for=192.0.2.1;proto=ftp;host=example.com", "http", "example.com"),
        ('for=192.0.2.1;proto=https;host="a@b"', "https", "internal:8000"),
        ('for=192.0.2.1;proto=https;host="a/b"', "https", "internal:8000"),
        # A broken element is not used in any part.
        ("for=192.0.2.1;proto=https;host=a;host=b", "http", "internal:8000"),
    ],
)
def test_scheme_and_host_come_from_trusted_elements(value: str, scheme: str, host: str) -> None:
    """RFC 7239 sections 5.3 and 5.4."""
    scope = applied(fwd(value))
    assert scope["scheme"] == scheme
    assert host_of(scope) == [host.encode()]


# --- both kinds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        xff("192.0.2.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "internal:8000"),
        ("x-forwarded-port", "80"),
    ],
)
def test_forwarded_is_not_read_beside_any_x_forwarded_field(field: tuple[str, str]) -> None:
    """Behind a proxy that writes X-Forwarded-… only, a client's own Forwarded must have no effect."""
    scope = applied(fwd("for=198.51.100.9;proto=https;host=evil.example"), field)
    assert scope["client"] == (("192.0.2.1", 0) if field == xff("192.0.2.1") else PEER)
    assert scope["scheme"] == "http"
    assert host_of(scope) == [b"internal:8000"]


# --- robustness ---------------------------------------------------------------------------------------------


def test_no_value_whatever_is_an_error() -> None:
    """Never a 500: random pieces of grammar in all fields, and the scope keeps its types."""
    chance = random.Random(7)
    pieces = [
        "for=",
        "192.0.2.1",
        "10.0.0.2",
        '"',
        ",",
        ";",
        "\\",
        "[",
        "]",
        "::1",
        ":",
        "80",
        "_x",
        " ",
        "\t",
    ]
    pieces += ["proto=", "https", "host=", "example.com", "=", "unknown", "%", "\xff", "\x80", "unix:", "a@b"]
    names = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded"]
    by = rules("10.0.0.0/8", "unix:")
    for _ in range(5000):
        fields = [
            (chance.choice(names), "".join(chance.choices(pieces, k=chance.randrange(12))))
            for _ in range(chance.randrange(1, 4))
        ]
        scope = applied(*fields, by=by)
        host, port = scope["client"]
        assert host == PEER[0] or canonical_address(host) == host
        assert 0 <= port <= 65535
        assert scope["scheme"] in ("http", "https")
        assert len(host_of(scope)) == 1


@pytest.mark.parametrize("text", ['"' + "," * 30000, '",' * 15000, "," * 30000, "for=10.0.0.2," * 2500])
def test_the_cost_of_a_hostile_list_is_linear(text: str) -> None:
    """32 KiB is the most that a head can have; the time limit of the test would catch a square."""
    for _ in range(20):
        applied(fwd(text))
        applied(xff(text))


def test_the_cache_of_nodes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients choose what stands in these fields."""
    monkeypatch.setattr(forwarded, "_CACHE_ENTRIES", 10)
    by = rules()
    for number in range(100):
        assert client_of(xff(f"192.0.2.{number}"), by=by) == (f"192.0.2.{number}", 0)
        client_of(xff("x" * number), by=by)
        assert len(by._hops) <= 10

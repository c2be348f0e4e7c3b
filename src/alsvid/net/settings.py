"""The settings of listeners, connections, TLS and the PROXY protocol.

Owns their declaration; opens nothing, and knows no files or command lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alsvid.asgi.settings import check_peer
from alsvid.net.bind import bind_of_host_and_port, parse_bind
from alsvid.options import option


def _check_bind(value: Any) -> str:
    forms = "HOST:PORT, [IPV6]:PORT, :PORT, unix:PATH or fd://N"
    if not isinstance(value, str):
        raise ValueError(forms)
    try:
        parse_bind(value)
    except ValueError as error:
        raise ValueError(f"{forms} ({error})") from None
    return value.strip()


def _check_host(value: Any) -> str:
    try:
        bind_of_host_and_port(value if isinstance(value, str) else "//", 0)
    except ValueError as error:
        raise ValueError(f"an address or the name of a host ({error})") from None
    return str(value)


_CERT_REQS = {"0": "none", "1": "optional", "2": "required"}


def _parse_cert_reqs(value: Any) -> str:
    # Uvicorn and Gunicorn take the numbers of ssl.CERT_NONE, CERT_OPTIONAL and CERT_REQUIRED.
    text = str(int(value)) if isinstance(value, int) else str(value).lower()
    text = _CERT_REQS.get(text, text)
    if text not in ("none", "optional", "required"):
        raise ValueError("none, optional or required (or 0, 1, 2)")
    return text


@dataclass(slots=True, kw_only=True)
class ListenSettings:
    """Where to listen, and how."""

    host: str = option(
        "127.0.0.1",
        "--host",
        doc="Address or name to listen at.",
        metavar="HOST",
        parse=_check_host,
        danger="0.0.0.0 and :: open the server to every network of the machine.",
    )
    port: int = option(
        8000,
        "--port",
        doc="TCP port to listen at; 0 picks a free one. Where no address is given, the variable PORT means "
        "0.0.0.0:$PORT.",
        minimum=0,
        maximum=65535,
    )
    bind: tuple[str, ...] = option(
        (),
        "--bind",
        "-b",
        doc="Address to listen at, in place of --host and --port: HOST:PORT, [IPV6]:PORT, unix:PATH or "
        "fd://N; repeatable.",
        metavar="ADDRESS",
        multiple=True,
        separator=",",
        parse=_check_bind,
    )
    uds: str | None = option(
        None, "--uds", doc="Unix socket to listen at, in place of --host and --port.", metavar="PATH"
    )
    fd: int | None = option(
        None,
        "--fd",
        doc="Open descriptor of a socket to listen at, in place of --host and --port.",
        minimum=0,
        metavar="N",
    )
    backlog: int = option(
        2048,
        "--backlog",
        doc="Connections that may wait to be accepted; the system may cap it lower.",
        minimum=1,
        maximum=1 << 20,
    )
    reuse_port: bool = option(
        False,
        "--reuse-port",
        doc="Set SO_REUSEPORT, so that several servers can share one port.",
        danger="Any process of the same user can take a share of the connections.",
    )
    uds_mode: int = option(
        0o660,
        "--uds-mode",
        doc="File mode of Unix sockets.",
        metavar="OCTAL",
        minimum=0,
        maximum=0o777,
        octal=True,
        danger="0666 lets every user of the machine connect.",
    )


@dataclass(slots=True, kw_only=True)
class ConnectionSettings:
    """Deadlines, buffers and caps of connections."""

    timeout_request_head: float = option(
        10.0,
        "--timeout-request-head",
        doc="A request's head must be complete this long after the connection, or its first octet, came.",
        unit="s",
        minimum=0.1,
        danger="Slow clients hold connections for that long without a request.",
    )
    keep_alive: float = option(
        75.0,
        "--keep-alive",
        "--timeout-keep-alive",
        doc="How long an idle connection is kept open. Keep it above the 60 s of most proxies; "
        "0 closes after every answer.",
        unit="s",
        minimum=0,
        danger="Idle connections count against --limit-connections.",
    )
    timeout_body: float = option(
        30.0,
        "--timeout-body",
        doc="Longest pause between two pieces of a request's content, while the application waits for it.",
        unit="s",
        minimum=0.1,
        danger="Stalled uploads hold their requests for that long.",
    )
    body_min_rate: int = option(
        500,
        "--body-min-rate",
        doc="Least average rate of a request's content once --body-min-rate-grace is over.",
        unit="octets/s",
        minimum=0,
        zero_is_off=True,
        danger="Without it a client may send one octet at a time, for ever.",
    )
    body_min_rate_grace: float = option(
        20.0,
        "--body-min-rate-grace",
        doc="How long the content of a request may come at any rate.",
        unit="s",
        minimum=0.1,
        danger="Slow uploads hold their requests for at least that long.",
    )
    timeout_write: float = option(
        30.0,
        "--timeout-write",
        doc="A connection whose peer takes nothing of an answer for so long is aborted.",
        unit="s",
        minimum=0.1,
        danger="Clients that do not read hold their answers in memory for that long.",
    )
    write_high_water: int = option(
        65536,
        "--write-high-water",
        doc="Octets of unsent answer at which `send()` begins to wait.",
        unit="octets",
        minimum=1024,
        maximum=1 << 30,
        danger="Each connection may hold that much memory.",
    )
    write_low_water: int = option(
        16384,
        "--write-low-water",
        doc="Octets of unsent answer at which `send()` goes on; less than --write-high-water.",
        unit="octets",
        minimum=0,
        maximum=1 << 30,
    )
    read_high_water: int = option(
        65536,
        "--read-high-water",
        doc="Octets of request content kept for an application that does not read; then the connection is "
        "not read either.",
        unit="octets",
        minimum=1024,
        maximum=1 << 30,
        danger="Each connection may hold that much memory.",
    )
    limit_connections: int = option(
        10000,
        "--limit-connections",
        doc="Most open connections; beyond it the oldest idle one is closed, else the new one answered 503.",
        minimum=1,
        danger="Needs as many file descriptors (ulimit -n), and memory.",
    )
    limit_concurrency: int = option(
        0,
        "--limit-concurrency",
        doc="Most requests at once; more are answered 503 with Retry-After.",
        minimum=0,
        zero_is_off=True,
        danger="Without a limit an overload slows every request.",
    )
    limit_unread_body: int = option(
        65536,
        "--limit-unread-body",
        doc="Octets of content the application left unread that are read and dropped to keep the connection.",
        unit="octets",
        minimum=0,
        maximum=1 << 30,
        danger="Work for content that nobody wants.",
    )
    timeout_unread_body: float = option(
        5.0,
        "--timeout-unread-body",
        doc="How long content that the application left unread is awaited before the connection is closed.",
        unit="s",
        minimum=0,
        danger="Connections are held for content that nobody wants.",
    )


@dataclass(slots=True, kw_only=True)
class TlsSettings:
    """TLS; on when a certificate is given. Whatever is wrong with the files stops the start."""

    ssl_certfile: str | None = option(
        None,
        "--ssl-certfile",
        "--certfile",
        doc="Certificate chain, PEM; read again when the file changes.",
        metavar="FILE",
    )
    ssl_keyfile: str | None = option(
        None,
        "--ssl-keyfile",
        "--keyfile",
        doc="Private key, PEM; not needed where the certificate's file holds it.",
        metavar="FILE",
    )
    ssl_keyfile_password: str | None = option(
        None,
        "--ssl-keyfile-password",
        doc="Password of the private key.",
        metavar="TEXT",
        secret=True,
        danger="On a command line every user of the machine can read it: use ALSVID_SSL_KEYFILE_PASSWORD.",
    )
    ssl_ca_certs: str | None = option(
        None,
        "--ssl-ca-certs",
        "--ca-certs",
        doc="Authorities that client certificates are verified with, PEM.",
        metavar="FILE",
    )
    ssl_cert_reqs: str = option(
        "none",
        "--ssl-cert-reqs",
        "--cert-reqs",
        doc="Whether clients must show a certificate: none, optional or required (also 0, 1, 2).",
        metavar="WORD",
        parse=_parse_cert_reqs,
        danger="none and optional let clients in that show no certificate.",
    )
    ssl_ciphers: str | None = option(
        None,
        "--ssl-ciphers",
        "--ciphers",
        doc="Ciphers for TLS 1.2, in OpenSSL's notation; the default is OpenSSL's.",
        metavar="LIST",
        danger="A hand-made list easily lets weak ciphers in.",
    )
    ssl_min_version: str = option(
        "TLSv1.2",
        "--ssl-min-version",
        doc="Least TLS version.",
        choices=("TLSv1.2", "TLSv1.3"),
    )
    timeout_tls_handshake: float = option(
        10.0,
        "--timeout-tls-handshake",
        doc="A TLS handshake must be complete within this time.",
        unit="s",
        minimum=0.1,
        danger="Silent clients hold connections for that long.",
    )


@dataclass(slots=True, kw_only=True)
class ProxyProtocolSettings:
    """The PROXY protocol, by which a balancer in front tells whom it speaks for."""

    proxy_protocol: str = option(
        "off",
        "--proxy-protocol",
        doc="Expect a PROXY protocol header at the start of every connection from --proxy-allow-from.",
        choices=("off", "v1", "v2", "auto"),
        danger="Whoever may send the header chooses the client's address.",
    )
    proxy_allow_from: tuple[str, ...] = option(
        ("127.0.0.1", "::1"),
        "--proxy-allow-from",
        doc="Peers whose PROXY protocol header is believed: addresses, networks, unix: or *, separated by "
        "commas.",
        metavar="LIST",
        separator=",",
        parse=check_peer,
        danger="* lets every client choose its address.",
    )

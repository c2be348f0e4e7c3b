"""Inputs for the engine: requests made from the grammar, then damaged. A seed always gives the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

from alsvid.protocol.http1.limits import Limits

METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"TRACE", b"X", b"m-search", b"A" * 33]
TARGETS = [
    b"/", b"/a?b=c", b"*", b"/%41?%", b"http://a.example/b", b"http://a.example", b"http://u@a/",
    b"https://[::1]:8/?q", b"//", b"/#", b"a.example:80", b"/\xc3\xa4", b"/a b", b"?", b"",
    b"/" + b"a" * 70,
]  # fmt: skip
VERSIONS = (
    [b"HTTP/1.1"] * 12
    + [b"HTTP/1.0"] * 3
    + [b"HTTP/2.0", b"HTTP/1.2", b"HTTP/1.10", b"http/1.1", b"HTTP/1", b""]
)
HOSTS = [b"a"] * 8 + [
    b"example.org:80",
    b"[::1]:8000",
    b"",
    b"a/b",
    b"u@a",
    b"a, b",
    b"[zz]",
    b"a:99999",
    b"a%41",
    b"a%",
]
LENGTHS = [
    b"0",
    b"1",
    b"5",
    b"5",
    b"5",
    b"005",
    b"12",
    b"-1",
    b"+5",
    b"5, 5",
    b"0x5",
    b"",
    b"9" * 18,
    b"9" * 19,
    b" 5 ",
]
CODINGS = [b"chunked"] * 8 + [
    b"Chunked",
    b"gzip",
    b"gzip, chunked",
    b"chunked, chunked",
    b"identity",
    b", chunked",
    b"x;y",
]
CONNECTIONS = [b"close", b"keep-alive", b"Keep-Alive, close", b"upgrade", b"te", b"", b",,", b"x-close"]
OTHERS = [
    b"Expect: 100-continue", b"TE: trailers", b"te: x, trailers", b"Upgrade: websocket",
    b"X-Forwarded-For: a", b"Cookie: a=b; c=d", b"a:", b"A:\t b\tc \t", b"a_b: c", b"a: \xff\x80",
    b"content_length: 5", b": x", b"a : b", b" fold", b"a", b"a: \x00", b"Expect: x", b"a: " + b"v" * 70,
    b"Content-Type: text/plain", b"Host: second",
]  # fmt: skip
SIZES = [
    b"5", b"5", b"5", b"05", b"0000000000000005", b"00000000000000005", b"5;a=b", b'5; a="\\"b"', b"5 ",
    b"5;", b"0x5", b"ffffffffffffffff", b"g", b"", b"5;" + b"a" * 30,
]  # fmt: skip
OCTETS = b'\r\n\r\n\x00\t :;,"\\/?#@[]%=0159afAFgzGZ-_.*\x7f\x80\xff\x0b'
SNIPPETS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b"0\r\n\r\n", b"5\r\nhello\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Host: b\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b" HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x01",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 4, b"A" * 80,
]  # fmt: skip

LIMITS = [
    Limits(),
    Limits(),
    Limits(
        request_line=64, head=256, fields=6, field_size=64, chunk_extension=8, chunk_extensions=16, body=12
    ),
    Limits(request_line=80, head=90, fields=3, field_size=200, chunk_extension=0, body=5, unread_body=4),
]


class Generator:
    """Makes inputs; `seeds` are octets to begin with beside those of the grammar."""

    def __init__(self, seed: int, seeds: list[bytes] | None = None) -> None:
        self.random = random.Random(seed)
        self._seeds = seeds or []

    def inputs(self, count: int) -> Iterator[tuple[bytes, Limits]]:
        """Return so many inputs, each with the limits to read it with."""
        for _ in range(count):
            yield self.input(), self.random.choice(LIMITS)

    def input(self) -> bytes:
        """Return one input."""
        chance = self.random.random
        if self._seeds and chance() < 0.2:
            data = self.random.choice(self._seeds)[:2000]
        else:
            data = b"".join(
                self._message(clean=chance() < 0.7) for _ in range(self.random.choice((1, 1, 1, 2, 3, 5)))
            )
        if chance() < 0.45:
            for _ in range(self.random.choice((1, 1, 1, 2, 4))):
                data = self._damage(data)
        return data

    def _message(self, *, clean: bool) -> bytes:
        """Return a request; a clean one takes nearly always what is right."""
        pick = self.random.choice
        chance = self.random.random
        usual = (lambda values: values[0]) if clean else pick
        lines = [b" ".join((pick(METHODS[:5]) if clean else pick(METHODS), usual(TARGETS), usual(VERSIONS)))]
        if chance() < 0.97:
            lines.append(b"Host: " + usual(HOSTS))
        for _ in range(pick((0, 0, 1, 2, 5))):
            lines.append(pick(OTHERS[:10]) if clean else pick(OTHERS))
        if chance() < 0.2:
            lines.append(b"Connection: " + pick(CONNECTIONS))
        body = b""
        framing = chance()
        if framing < 0.3:
            length = pick(LENGTHS[:6]) if clean else pick(LENGTHS)
            lines.append(b"Content-Length: " + length)
            body = b"x" * int(length) if clean else b"hello"
        elif framing < 0.6:
            lines.append(b"Transfer-Encoding: " + usual(CODINGS))
            body = self._chunks(clean=clean)
        elif framing < 0.63:
            lines += [b"Transfer-Encoding: chunked", b"Content-Length: 5"]
            body = b"0\r\n\r\n"
        if not clean and chance() < 0.3:
            self.random.shuffle(lines)
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _chunks(self, *, clean: bool) -> bytes:
        pick = self.random.choice
        chunks = b"".join(
            (pick(SIZES[:5]) if clean and i else b"5" if clean else pick(SIZES)) + b"\r\nhello\r\n"
            for i in range(pick((0, 1, 1, 2, 4)))
        )
        trailers = pick((b"", b"", b"a: b\r\n", b"Content-Length: 5\r\n", b"" if clean else b" fold\r\n"))
        return chunks + pick((b"0", b"0", b"00", b"0;a")) + b"\r\n" + trailers + b"\r\n"

    def _damage(self, data: bytes) -> bytes:
        pick = self.random.choice
        at = self.random.randrange(len(data) + 1)
        kind = self.random.randrange(8)
        if kind == 0:
            return data[:at]
        if kind == 1:
            return data[:at] + data[at + pick((1, 1, 2, 5)) :]
        if kind == 2:
            return data[:at] + bytes([pick(OCTETS)]) + data[at:]
        if kind == 3:
            return data[:at] + bytes([pick(OCTETS)]) + data[at + 1 :]
        if kind == 4:
            return data[:at] + bytes([self.random.randrange(256)]) + data[at + 1 :]
        if kind == 5:
            return data[:at] + pick(SNIPPETS) + data[at:]
        if kind == 6:
            end = at + self.random.randrange(1, 20)
            return data[:end] + data[at:]
        lines = data.split(b"\r\n")
        first, second = self.random.randrange(len(lines)), self.random.randrange(len(lines))
        lines[first], lines[second] = lines[second], lines[first]
        return b"\r\n".join(lines)

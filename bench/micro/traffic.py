"""The requests and fields that the cases use."""

COMMON = [
    ("Host", "127.0.0.1:8000"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Safari/537.36"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
    ("Cache-Control", "max-age=0"),
    ("Cookie", "session=5f3a9c1e1a2b00000042; theme=dark; seen=42; consent=yes"),
    ("Referer", "http://127.0.0.1/articles/42/previous"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
    ("Sec-Fetch-Dest", "document"),
    ("Upgrade-Insecure-Requests", "1"),
    ("If-None-Match", '"5f3a9c1e1a2b"'),
    ("X-Request-Id", "8b0e2f1c-64d7-4a39-9f0e-2f7a6f1f0c55"),
    ("sec-ch-ua", '"Not A(Brand";v="8", "Chromium";v="132"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("Priority", "u=0, i"),
]

ANSWER_FIELDS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"13")]
ANSWER_BODY = b"Hello, World!"


def get_request(fields: int, target: str = "/") -> bytes:
    """A GET with so many fields: a browser's first, then numbered ones."""
    pairs = COMMON[:fields] + [(f"X-Field-{i}", f"value-{i}") for i in range(len(COMMON), fields)]
    lines = [f"GET {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in pairs]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post_request(octets: int) -> bytes:
    """A POST with content of known length in the same read."""
    fields = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {octets}\r\n"
    return f"POST / HTTP/1.1\r\n{fields}\r\n".encode() + b"x" * octets


def chunked_request(octets: int, chunks: int) -> bytes:
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (octets // chunks, b"x" * (octets // chunks))
    return head + chunk * chunks + b"0\r\n\r\n"


def answer_fields(count: int) -> list[tuple[bytes, bytes]]:
    """Field lines of an answer, content-type and content-length first."""
    return ANSWER_FIELDS + [
        (b"x-field-%d" % i, b"value of the field number %d" % i) for i in range(count - 2)
    ]

"""Everything a run needs on disk, in one folder: certificate, bodies, files, a browser's requests."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.apps.sized import BODIES
from bench.duel.model import Payload

RECORD_SEPARATOR = b"\x1e"
BROWSER_REQUESTS = 4096


@dataclass(frozen=True, slots=True)
class Fixtures:
    """The paths inside a run's folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def browser(self) -> Path:
        return self.folder / "browser.requests"

    def payload(self, payload: Payload) -> Path:
        return self.folder / payload.value


def media_type(payload: Payload) -> str:
    return "application/json" if payload is Payload.JSON_1K else "application/octet-stream"


def make_fixtures(folder: Path) -> Fixtures:
    """Fill an empty folder."""
    fixtures = Fixtures(folder)
    make_certificate(fixtures)
    fixtures.files.mkdir()
    for path, body in BODIES.items():
        (fixtures.files / path[1:]).write_bytes(body)
    pattern = BODIES["/100k"]
    (fixtures.files / "50k").write_bytes(pattern[:50_000])
    (fixtures.files / "10m").write_bytes(pattern * 100)
    fixtures.payload(Payload.JSON_1K).write_bytes(json_document())
    fixtures.payload(Payload.UPLOAD_1M).write_bytes(pattern * 10)
    with fixtures.payload(Payload.UPLOAD_100M).open("wb") as file:
        for _ in range(1000):
            file.write(pattern)
    requests = RECORD_SEPARATOR.join(browser_request(number) for number in range(BROWSER_REQUESTS))
    fixtures.browser.write_bytes(requests)
    return fixtures


def make_certificate(fixtures: Fixtures) -> None:
    """A self-signed ECDSA P-256 certificate; the key in PKCS#8, which all servers read."""
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    argv += ["-keyout", str(fixtures.key), "-out", str(fixtures.certificate), "-days", "30"]
    argv += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(argv, check=True, capture_output=True)


def json_document() -> bytes:
    """1,024 octets of JSON with 12 items."""
    items = [{"id": 4000 + i, "name": f"article {i}", "price": 19.5 + i, "tags": ["new"]} for i in range(12)]
    document = {"customer": "Sól", "items": items, "note": ""}
    missing = 1024 - len(json.dumps(document).encode())
    document["note"] = "x" * missing
    return json.dumps(document).encode()


def browser_request(number: int) -> bytes:
    """A navigation with the 19 fields of a desktop browser; path, cookies and tracing differ by number."""
    session = f"{number * 2_654_435_761 % 2**32:08x}{number:08x}"
    fields = {
        "Host": "127.0.0.1",
        "Connection": "keep-alive",
        "Cache-Control": "max-age=0",
        "sec-ch-ua": '"Not A(Brand";v="8", "Chromium";v="132"',
        "sec-ch-ua-mobile": "?0",
        "sec-ch-ua-platform": '"Linux"',
        "Upgrade-Insecure-Requests": "1",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/132.0.0.0 Safari/537.36",
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-User": "?1",
        "Sec-Fetch-Dest": "document",
        "Referer": f"http://127.0.0.1/articles/{number}/previous",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
        "If-None-Match": f'"{session[:12]}"',
        "X-Request-Id": f"{session}-{number % 97:02d}",
        "Cookie": f"session={session}; theme=dark; seen={number}; consent=yes",
    }
    lines = [f"GET /?page={number} HTTP/1.1"] + [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()

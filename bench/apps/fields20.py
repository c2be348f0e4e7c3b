"""20 answer fields with the values a real site sends."""

from bench.apps.asgi import Receive, Scope, Send, answer_lifespan

BODY = b"Hello, World!"
FIELDS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-length", b"13"),
    (b"cache-control", b"private, max-age=0, must-revalidate"),
    (b"content-language", b"en-GB"),
    (b"etag", b'"5f3a9c1e-1a2b"'),
    (b"last-modified", b"Tue, 04 Mar 2025 10:15:30 GMT"),
    (b"expires", b"Tue, 04 Mar 2025 11:15:30 GMT"),
    (b"vary", b"Accept-Encoding, Accept-Language, Cookie"),
    (b"link", b"</static/site.css>; rel=preload; as=style, </static/site.js>; rel=preload; as=script"),
    (b"content-security-policy", b"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-request-id", b"8b0e2f1c-64d7-4a39-9f0e-2f7a6f1f0c55"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"set-cookie", b"session=eyJ1c2VyIjo0Mn0.c2lnbmF0dXJl; Path=/; HttpOnly; Secure; SameSite=Lax"),
    (b"set-cookie", b"theme=dark; Path=/; Max-Age=31536000; SameSite=Lax"),
]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": FIELDS})
    await send({"type": "http.response.body", "body": BODY})

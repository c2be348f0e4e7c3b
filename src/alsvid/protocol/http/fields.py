"""Field names that are known beforehand: their one lower-case object, by the spellings that clients use."""

from __future__ import annotations

_COMMON = """
a-im accept accept-charset accept-datetime accept-encoding accept-language access-control-allow-origin
access-control-request-headers access-control-request-method alt-used authorization cache-control cdn-loop
cf-connecting-ip cf-ipcountry cf-ray cf-visitor connection content-disposition content-encoding
content-language content-length content-location content-md5 content-range content-type cookie date
device-memory dnt downlink dpr early-data ect expect expires forwarded from host http2-settings if-match
if-modified-since if-none-match if-range if-unmodified-since keep-alive last-modified link max-forwards
origin pragma prefer priority proxy-authorization proxy-connection purpose range referer rtt save-data
sec-ch-ua sec-ch-ua-arch sec-ch-ua-bitness sec-ch-ua-full-version sec-ch-ua-full-version-list
sec-ch-ua-mobile sec-ch-ua-model sec-ch-ua-platform sec-ch-ua-platform-version sec-fetch-dest sec-fetch-mode
sec-fetch-site sec-fetch-user sec-gpc sec-websocket-extensions sec-websocket-key sec-websocket-protocol
sec-websocket-version sentry-trace baggage service-worker-navigation-preload te trailer transfer-encoding
traceparent tracestate true-client-ip upgrade upgrade-insecure-requests user-agent via viewport-width
want-digest warning x-amz-cf-id x-amzn-trace-id x-api-key x-client-ip x-correlation-id x-csrf-token
x-csrftoken x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-prefix x-forwarded-proto
x-forwarded-scheme x-forwarded-server x-http-method-override x-real-ip x-request-id x-requested-with
"""

# How clients write names: as they are (HTTP/2 gateways, undici), Title-Case (browsers, curl, Go), and oddly.
_ODD = {b"DNT": b"dnt", b"ETag": b"etag", b"TE": b"te", b"sec-ch-ua-WoW64": b"sec-ch-ua-wow64"}


def _spellings() -> dict[bytes, bytes]:
    names: dict[bytes, bytes] = {}
    for text in _COMMON.split():
        name = text.encode("ascii")
        names[name] = name
        names["-".join(part.capitalize() for part in text.split("-")).encode("ascii")] = name
        names[text.upper().encode("ascii")] = name
    for spelling, name in _ODD.items():
        names[spelling] = names.setdefault(name, name)
    return names


# spelling -> lower-case name; both sides bytes. immutable after import.
NAMES: dict[bytes, bytes] = _spellings()

# RFC 9110 section 9.3 and RFC 5789, RFC 4918 …: one str object for each method that is common
_METHODS = """
GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK
REPORT SEARCH PURGE QUERY LINK UNLINK
"""
METHODS: dict[bytes, str] = {method.encode("ascii"): method for method in _METHODS.split()}

# RFC 9110 section 6.5.1: fields that must not be merged from, or sent in, a trailer section
FORBIDDEN_TRAILERS: frozenset[bytes] = frozenset(
    b"""authorization cache-control connection content-encoding content-length content-location content-range
    content-type cookie date expect expires forwarded host if-match if-modified-since if-none-match if-range
    if-unmodified-since keep-alive location max-forwards pragma proxy-authenticate proxy-authorization
    proxy-connection range retry-after set-cookie te trailer transfer-encoding upgrade vary warning
    www-authenticate x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto age""".split()
)

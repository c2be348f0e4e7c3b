"""TLS: server contexts from settings, certificates that are read again when they change, the ASGI extension.

Owns everything that is known of certificates and `ssl`. It must not know of connections, transports or event
loops: the listener asks for `context` when it accepts, a coarse tick calls `refresh()`.

Fail closed: a file, cipher or password that cannot be used is a ConfigError at the start, and a changed file
that cannot be used leaves the context in use as it was. Nothing falls back to plain text or to no
verification.
"""

from __future__ import annotations

import dataclasses
import os
import ssl
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final

from alsvid.errors import ConfigError
from alsvid.net.distinguished_name import subject_of
from alsvid.net.settings import TlsSettings
from alsvid.observability.telemetry import Telemetry

_VERIFY_MODES: Final = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
_MIN_VERSIONS: Final = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
# The numbers of the version field (RFC 8446 section 4.2.1, RFC 5246 section 6.2.1) by OpenSSL's names.
_VERSION_NUMBERS: Final = {"TLSv1": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}

_BEGIN_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"
_END_CERTIFICATE: Final = "-----END CERTIFICATE-----"

# What tells one version of a file from another: device, inode, size, times of content and of inode. A
# symbolic link is followed, so that a swapped link is a changed file.
_Fingerprint = tuple[tuple[int, ...] | None, ...]


def wants_tls(settings: TlsSettings) -> bool:
    """Say whether anything asks for TLS, so that half a configuration is an error and never plain text."""
    return bool(
        settings.ssl_certfile
        or settings.ssl_keyfile
        or settings.ssl_ca_certs
        or settings.ssl_cert_reqs != "none"
    )


@dataclasses.dataclass(frozen=True, slots=True)
class TlsReload:
    """What came of changed files: new connections use them (`ok`), or `error` says why they do not."""

    ok: bool
    error: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class _ContextFacts:
    """What the ASGI extension tells of every connection of one context; computed once."""

    server_cert: str
    cipher_suites: Mapping[str, int]  # OpenSSL's name -> number of the IANA registry


class TlsContexts:
    """The newest usable SSLContext of a server.

    `alpn` is the list of protocols in order of preference (RFC 7301), for example ("h2", "http/1.1").
    With a `telemetry`, every reload is told as "tls_reload" with ok, error and certfile.

    Raises: ConfigError, naming option and file.
    """

    __slots__ = (
        "_alpn",
        "_context",
        "_doubt",
        "_environ",
        "_facts",
        "_loaded",
        "_settings",
        "_telemetry",
        "_told",
    )

    def __init__(
        self,
        settings: TlsSettings,
        alpn: Sequence[str] = ("http/1.1",),
        telemetry: Telemetry | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._settings = settings
        self._alpn = list(alpn)
        self._telemetry = telemetry
        self._environ = environ
        # Held weakly: a context lives as long as a connection that was made with it.
        self._facts: weakref.WeakKeyDictionary[ssl.SSLContext, _ContextFacts] = weakref.WeakKeyDictionary()
        self._doubt = ""  # why the last try failed
        self._told = ""  # the failure that has been reported
        self._loaded = self._fingerprint()
        self._context = self._build()

    @property
    def context(self) -> ssl.SSLContext:
        """The context for the next connection; ask again for each one."""
        return self._context

    def refresh(self) -> TlsReload | None:
        """Look whether files have changed and use them if they are good; None when there is nothing to tell.

        To be called every second or two: it costs one stat a file. Connections keep the context that they
        were made with.
        """
        found = self._fingerprint()
        if found == self._loaded:
            self._doubt = self._told = ""
            return None
        try:
            context = self._build()
        except ConfigError as error:
            return self._failed(str(error))
        if self._fingerprint() != found:
            # Changed again while being read: the next tick takes them when they have come to rest.
            return None
        self._context = context
        self._loaded = found
        self._doubt = self._told = ""
        return self._tell(TlsReload(True))

    def facts_of(self, context: ssl.SSLContext | None) -> _ContextFacts | None:
        """Return what is known of a context that was built here, be it the newest one or not."""
        return self._facts.get(context) if context is not None else None

    def _failed(self, error: str) -> TlsReload | None:
        # A failure is told when it is still there at the next tick: between the writing of a new certificate
        # and of its key, the two do not belong together, and nobody needs to hear of it.
        if error != self._doubt:
            self._doubt = error
            return None
        if error == self._told:
            return None
        self._told = error
        return self._tell(TlsReload(False, error))

    def _tell(self, reload: TlsReload) -> TlsReload:
        if self._telemetry is not None:
            certfile = self._settings.ssl_certfile
            self._telemetry.emit("tls_reload", ok=reload.ok, error=reload.error, certfile=certfile)
        return reload

    def _fingerprint(self) -> _Fingerprint:
        settings = self._settings
        return tuple(
            _file_version(path)
            for path in (settings.ssl_certfile, settings.ssl_keyfile, settings.ssl_ca_certs)
            if path
        )

    def _build(self) -> ssl.SSLContext:
        context, facts = build_context(self._settings, self._alpn, self._environ)
        self._facts[context] = facts
        return context


def _file_version(path: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


# --- building a context -------------------------------------------------------------------------------------


def build_context(
    settings: TlsSettings, alpn: list[str], environ: Mapping[str, str]
) -> tuple[ssl.SSLContext, _ContextFacts]:
    """Make one server context of the files as they are now.

    Raises: ConfigError, naming option and file.
    """
    if not settings.ssl_certfile:
        raise ConfigError("--ssl-certfile is missing: the other TLS options need a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Compression leaks secrets (RFC 7457 section 2.6); renegotiation is work on the client's command.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.options |= ssl.OP_SINGLE_DH_USE | ssl.OP_SINGLE_ECDH_USE
    context.minimum_version = _one_of(_MIN_VERSIONS, "--ssl-min-version", settings.ssl_min_version)
    _set_ciphers(context, settings.ssl_ciphers)
    server_cert = _load_certificate(context, settings.ssl_certfile, settings)
    _set_verification(context, settings)
    context.set_alpn_protocols(alpn)
    _set_key_log(context, environ.get("SSLKEYLOGFILE", ""))
    suites = {cipher["name"]: cipher["id"] & 0xFFFF for cipher in context.get_ciphers()}
    return context, _ContextFacts(server_cert, suites)


def _one_of(known: Mapping[str, Any], option: str, word: str) -> Any:
    if word not in known:
        raise ConfigError(f"{option}: {word!r} is unknown; choose {', '.join(known)}")
    return known[word]


def _set_ciphers(context: ssl.SSLContext, ciphers: str | None) -> None:
    if ciphers is None:
        return
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError:
        raise ConfigError(
            f"--ssl-ciphers: OpenSSL can select no cipher with {ciphers!r}; `openssl ciphers` lists them "
            "(those of TLS 1.3 are always on)"
        ) from None


def _load_certificate(context: ssl.SSLContext, certfile: str, settings: TlsSettings) -> str:
    """Load chain and key into the context; return the server's own certificate in PEM."""
    server_cert = _first_certificate(certfile)
    keyfile = settings.ssl_keyfile or certfile
    option = "--ssl-keyfile" if settings.ssl_keyfile else "--ssl-certfile"
    if "PRIVATE KEY-----" not in _text_of(keyfile, option):
        hint = "" if settings.ssl_keyfile else "; give the file of the key with --ssl-keyfile"
        raise ConfigError(f"{option}: {keyfile} holds no private key in PEM form{hint}")
    asked: list[bool] = []

    def password() -> str:
        # Without this OpenSSL would ask on the terminal, and a server without one would hang.
        asked.append(True)
        if settings.ssl_keyfile_password is None:
            raise ConfigError(f"--ssl-keyfile-password is missing: the key in {keyfile} is encrypted")
        return settings.ssl_keyfile_password

    try:
        context.load_cert_chain(certfile, settings.ssl_keyfile, password)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(_certificate_advice(error, certfile, keyfile, option, bool(asked))) from None
    except OSError as error:
        raise ConfigError(f"--ssl-certfile: {certfile} or {keyfile}: {error.strerror or error}") from None
    return server_cert


def _certificate_advice(
    error: ValueError | ssl.SSLError, certfile: str, keyfile: str, option: str, asked: bool
) -> str:
    """Find out which of the two files, or the password, OpenSSL means: it says "PEM lib" for all."""
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return f"{option}: the key in {keyfile} does not belong to the certificate in {certfile}"
    if reason:
        return (
            f"--ssl-certfile: OpenSSL refuses {certfile} with {keyfile}: {reason.replace('_', ' ').lower()}"
        )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(certfile)
    except (ssl.SSLError, OSError):
        return f"--ssl-certfile: a certificate in {certfile} is damaged"
    if asked:
        return f"--ssl-keyfile-password does not open the key in {keyfile}"
    return f"{option}: the private key in {keyfile} is damaged or of an unknown kind"


def _first_certificate(certfile: str) -> str:
    """Return the certificate that the server sends first, in the one form of PEM that ssl writes."""
    text = _text_of(certfile, "--ssl-certfile")
    start = text.find(_BEGIN_CERTIFICATE)
    end = text.find(_END_CERTIFICATE, start)
    if start < 0 or end < 0:
        raise ConfigError(f"--ssl-certfile: {certfile} holds no certificate in PEM form")
    try:
        return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(text[start : end + len(_END_CERTIFICATE)]))
    except ValueError:
        raise ConfigError(f"--ssl-certfile: a certificate in {certfile} is damaged") from None


def _text_of(path: str, option: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{option}: {path} cannot be read: {reason}") from None


def _set_verification(context: ssl.SSLContext, settings: TlsSettings) -> None:
    mode = _one_of(_VERIFY_MODES, "--ssl-cert-reqs", settings.ssl_cert_reqs)
    if settings.ssl_ca_certs:
        _text_of(settings.ssl_ca_certs, "--ssl-ca-certs")
        try:
            context.load_verify_locations(settings.ssl_ca_certs)
        except ssl.SSLError:
            raise ConfigError(
                f"--ssl-ca-certs: {settings.ssl_ca_certs} holds no usable certificate in PEM form"
            ) from None
        except OSError as error:
            raise ConfigError(f"--ssl-ca-certs: {settings.ssl_ca_certs}: {error.strerror or error}") from None
    elif mode != ssl.CERT_NONE:
        raise ConfigError(
            f"--ssl-ca-certs is missing: --ssl-cert-reqs {settings.ssl_cert_reqs} needs the authorities that "
            "client certificates are verified with"
        )
    context.verify_mode = mode


def _set_key_log(context: ssl.SSLContext, path: str) -> None:
    if not path:
        return
    try:
        context.keylog_filename = path
    except OSError as error:
        raise ConfigError(f"SSLKEYLOGFILE: {path} cannot be written: {error.strerror or error}") from None


# --- the ASGI TLS extension ---------------------------------------------------------------------------------


def tls_extension(ssl_object: ssl.SSLObject | ssl.SSLSocket, contexts: TlsContexts) -> dict[str, Any]:
    """Return scope["extensions"]["tls"] of a connection (ASGI TLS extension 0.2); call it once for each one.

    `server_cert` is the certificate that this connection was made with, also after a reload. Unverified
    client certificates never get here: their handshake fails, so `client_cert_error` is None.
    """
    context = ssl_object.context
    facts = contexts.facts_of(context)
    cipher = ssl_object.cipher()
    chain: list[str] = []
    name: str | None = None
    error: str | None = None
    if context.verify_mode != ssl.CERT_NONE:
        certificate = ssl_object.getpeercert(binary_form=True)
        if certificate:
            try:
                name = subject_of(certificate)
                chain = [ssl.DER_cert_to_PEM_cert(der) for der in _client_chain(ssl_object, certificate)]
            except ValueError as unreadable:
                # Fail closed: no application may take a half-told certificate for an identity.
                error = f"the subject of the client's certificate cannot be read: {unreadable}"
    return {
        "server_cert": facts.server_cert if facts else None,
        "client_cert_chain": chain,
        "client_cert_name": name,
        "client_cert_error": error,
        "tls_version": _VERSION_NUMBERS.get(ssl_object.version() or ""),
        "cipher_suite": facts.cipher_suites.get(cipher[0]) if facts and cipher else None,
    }


def _client_chain(ssl_object: Any, certificate: bytes) -> list[bytes]:
    """Return the certificates that the client sent, its own first, in DER."""
    if hasattr(ssl_object, "get_unverified_chain"):  # Python 3.13
        chain = [bytes(der) for der in ssl_object.get_unverified_chain() or ()]
    else:
        # Before 3.13 the same function exists on the object inside alone, and gives objects of the C module.
        inner: Any = getattr(ssl_object, "_sslobj", None)
        sent = inner.get_unverified_chain() if hasattr(inner, "get_unverified_chain") else None
        chain = [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in sent or ()]
    # A resumed session may have kept the client's own certificate alone.
    return chain or [certificate]

"""TLS contexts, certificates that change, the ASGI TLS extension; handshakes run in memory."""

from __future__ import annotations

import contextlib
import datetime
import gc
import os
import ssl
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID, ObjectIdentifier

from alsvid.errors import ConfigError
from alsvid.net.distinguished_name import subject_of
from alsvid.net.settings import TlsSettings
from alsvid.net.tls import TlsContexts, TlsReload, tls_extension, wants_tls
from alsvid.observability.telemetry import Telemetry

NOT_BEFORE = datetime.datetime(2020, 1, 1)
NOT_AFTER = datetime.datetime(2120, 1, 1)


class Certificate:
    """A certificate and its key, signed by `issuer` or by itself."""

    def __init__(
        self, subject: x509.Name, issuer: Certificate | None = None, *, ca: bool = False, names: str = ""
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOT_BEFORE)
            .not_valid_after(NOT_AFTER)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(names)]), critical=False
            )
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def key_pem(self, password: str = "", old_form: bool = False) -> str:
        form = serialization.PrivateFormat
        lock: Any = serialization.NoEncryption()
        if password:
            lock = serialization.BestAvailableEncryption(password.encode())
        kind = form.TraditionalOpenSSL if old_form else form.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, kind, lock).decode()


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


AUTHORITY = Certificate(common_name("authority"), ca=True)
INTERMEDIATE = Certificate(common_name("intermediate"), AUTHORITY, ca=True)
SERVER = Certificate(common_name("server"), AUTHORITY, names="server.example")
SUCCESSOR = Certificate(common_name("successor"), AUTHORITY, names="server.example")
STRANGER = Certificate(common_name("stranger"), ca=True)
CLIENT = Certificate(
    x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example, Inc."),
            x509.NameAttribute(NameOID.COMMON_NAME, "Lučić"),
        ]
    ),
    INTERMEDIATE,
)


class Files:
    """A directory with the files of a server, and settings that name them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.cert = directory / "server.pem"
        self.key = directory / "server.key"
        self.ca = directory / "ca.pem"
        self.write(SERVER)
        self.ca.write_text(AUTHORITY.pem)

    def write(self, certificate: Certificate) -> None:
        """Replace both files by rename, as careful tools do."""
        self.replace(self.cert, certificate.pem)
        self.replace(self.key, certificate.key_pem())

    def replace(self, path: Path, text: str) -> None:
        new = self.directory / "new"
        new.write_text(text)
        os.replace(new, path)

    def settings(self, **more: Any) -> TlsSettings:
        given = {"ssl_certfile": str(self.cert), "ssl_keyfile": str(self.key), **more}
        return TlsSettings(**given)

    def verifying(self, **more: Any) -> TlsSettings:
        return self.settings(ssl_ca_certs=str(self.ca), ssl_cert_reqs="required", **more)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def contexts(settings: TlsSettings, **more: Any) -> TlsContexts:
    return TlsContexts(settings, environ={}, **more)


def client_context(certificate: Certificate | None = None, tmp_path: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=AUTHORITY.pem)
    if certificate is not None:
        assert tmp_path is not None
        chain = tmp_path / "client.pem"
        chain.write_text(certificate.pem + INTERMEDIATE.pem + certificate.key_pem())
        context.load_cert_chain(chain)
    return context


def handshake(
    server: ssl.SSLContext, client: ssl.SSLContext, session: Any = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Shake hands in memory; returns the server's and the client's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname="server.example", session=session)
    waiting = [theirs, ours]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
        if not waiting:
            return ours, theirs
    raise AssertionError("the handshake does not end")


# --- building -----------------------------------------------------------------------------------------------


def test_a_client_that_trusts_the_authority_connects(files: Files) -> None:
    """The plain case: certificate and key."""
    ours, theirs = handshake(contexts(files.settings()).context, client_context())
    assert theirs.getpeercert(binary_form=True) == SERVER.der
    assert ours.version() == "TLSv1.3"


def test_the_chain_is_sent_with_the_certificate(files: Files) -> None:
    """--ssl-certfile holds the chain: a client that knows the root alone can verify."""
    leaf = Certificate(common_name("leaf"), INTERMEDIATE, names="server.example")
    files.cert.write_text(leaf.pem + INTERMEDIATE.pem)
    files.key.write_text(leaf.key_pem())
    _, theirs = handshake(contexts(files.settings()).context, client_context())
    assert theirs.getpeercert(binary_form=True) == leaf.der


def test_certificate_and_key_may_share_a_file(files: Files) -> None:
    """--ssl-keyfile is not needed then."""
    files.cert.write_text(SERVER.key_pem() + SERVER.pem)
    handshake(contexts(files.settings(ssl_keyfile=None)).context, client_context())


@pytest.mark.parametrize("old_form", [False, True], ids=["PKCS8", "traditional"])
def test_an_encrypted_key_is_opened_with_its_password(files: Files, old_form: bool) -> None:
    """--ssl-keyfile-password."""
    files.key.write_text(SERVER.key_pem("open sesame", old_form))
    settings = files.settings(ssl_keyfile_password="open sesame")
    handshake(contexts(settings).context, client_context())


def test_a_password_for_a_key_that_needs_none_is_no_error(files: Files) -> None:
    """OpenSSL does not ask for it."""
    contexts(files.settings(ssl_keyfile_password="unused"))


def test_an_rsa_key_works_as_well(files: Files) -> None:
    """Key types are OpenSSL's business."""
    key = rsa.generate_private_key(65537, 2048)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(common_name("rsa"))
        .issuer_name(AUTHORITY.certificate.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("server.example")]), critical=False)
        .sign(AUTHORITY.key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files.cert.write_bytes(certificate.public_bytes(pem))
    files.key.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    handshake(contexts(files.settings()).context, client_context())


@pytest.mark.parametrize(
    ("alpn", "offered", "agreed"),
    [
        (["http/1.1"], ["http/1.1"], "http/1.1"),
        (["http/1.1"], ["h2", "http/1.1"], "http/1.1"),
        (["h2", "http/1.1"], ["http/1.1", "h2"], "h2"),
        (["http/1.1"], ["h2"], None),
        (["http/1.1"], [], None),
    ],
)
def test_the_application_protocol_is_agreed_upon(
    files: Files, alpn: list[str], offered: list[str], agreed: str | None
) -> None:
    """RFC 7301 section 3.2: the server chooses, by its own preference."""
    client = client_context()
    client.set_alpn_protocols(offered)
    ours, theirs = handshake(contexts(files.settings(), alpn=alpn).context, client)
    assert ours.selected_alpn_protocol() == agreed
    assert theirs.selected_alpn_protocol() == agreed


def test_the_options_of_a_context_are_sane(files: Files) -> None:
    """No compression, no renegotiation, the server's order of ciphers; tickets stay as OpenSSL has them."""
    context = contexts(files.settings()).context
    for option in (ssl.OP_NO_COMPRESSION, ssl.OP_NO_RENEGOTIATION, ssl.OP_CIPHER_SERVER_PREFERENCE):
        assert context.options & option
    assert not context.options & ssl.OP_NO_TICKET
    assert context.verify_mode == ssl.CERT_NONE
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_versions_before_1_2_are_refused(files: Files, version: ssl.TLSVersion) -> None:
    """safety.md section 1: TLS 1.2 is the least version (RFC 8996 retires the older ones)."""
    client = client_context()
    client.minimum_version = version
    client.maximum_version = version
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        handshake(contexts(files.settings()).context, client)


def test_version_1_2_is_refused_where_1_3_is_the_least(files: Files) -> None:
    """--ssl-min-version TLSv1.3."""
    client = client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        handshake(contexts(files.settings(ssl_min_version="TLSv1.3")).context, client)


def test_ciphers_of_tls_1_2_are_limited(files: Files) -> None:
    """--ssl-ciphers."""
    settings = files.settings(ssl_ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
    client = client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    ours, _ = handshake(contexts(settings).context, client)
    assert ours.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"  # type: ignore[index]
    client.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    with pytest.raises(ssl.SSLError):
        handshake(contexts(settings).context, client)


def test_keys_are_logged_where_the_environment_asks_for_it(files: Files) -> None:
    """SSLKEYLOGFILE, in the format that Wireshark reads (RFC 9850)."""
    log = files.directory / "keys"
    tls = TlsContexts(files.settings(), environ={"SSLKEYLOGFILE": str(log)})
    handshake(tls.context, client_context())
    assert "CLIENT_TRAFFIC_SECRET_0" in log.read_text()


def test_no_keys_are_logged_by_default(files: Files) -> None:
    """An empty variable counts as unset."""
    tls = TlsContexts(files.settings(), environ={"SSLKEYLOGFILE": ""})
    assert tls.context.keylog_filename is None


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, False),
        ({"ssl_min_version": "TLSv1.3"}, False),
        ({"ssl_certfile": "x"}, True),
        ({"ssl_keyfile": "x"}, True),
        ({"ssl_ca_certs": "x"}, True),
        ({"ssl_cert_reqs": "required"}, True),
        ({"ssl_cert_reqs": "optional"}, True),
    ],
)
def test_half_a_configuration_asks_for_tls_too(given: dict[str, str], wanted: bool) -> None:
    """safety.md: nothing falls back to plain text because one option was forgotten."""
    assert wants_tls(TlsSettings(**given)) is wanted


# --- failing closed -----------------------------------------------------------------------------------------

DAMAGED_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
DAMAGED_KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("file", "text", "option", "reason"),
    [
        ("cert", "", "--ssl-certfile", "no certificate"),
        ("cert", "junk", "--ssl-certfile", "no certificate"),
        ("cert", "-----BEGIN CERTIFICATE-----\nAAAA", "--ssl-certfile", "no certificate"),
        ("cert", SERVER.key_pem(), "--ssl-certfile", "no certificate"),
        ("cert", DAMAGED_CERTIFICATE, "--ssl-certfile", "damaged"),
        ("cert", DAMAGED_CERTIFICATE.replace("AAAA", "*"), "--ssl-certfile", "damaged"),
        ("cert", SERVER.pem + DAMAGED_CERTIFICATE, "--ssl-certfile", "damaged"),
        ("cert", STRANGER.pem, "--ssl-keyfile", "does not belong"),
        ("key", STRANGER.key_pem(), "--ssl-keyfile", "does not belong"),
        ("key", "", "--ssl-keyfile", "no private key"),
        ("key", "junk", "--ssl-keyfile", "no private key"),
        ("key", SERVER.pem, "--ssl-keyfile", "no private key"),
        ("key", DAMAGED_KEY, "--ssl-keyfile", "damaged"),
        ("key", SERVER.key_pem("secret"), "--ssl-keyfile-password", "encrypted"),
        ("key", SERVER.key_pem("secret", True), "--ssl-keyfile-password", "encrypted"),
        ("ca", "", "--ssl-ca-certs", "no usable certificate"),
        ("ca", "junk", "--ssl-ca-certs", "no usable certificate"),
        ("ca", SERVER.key_pem(), "--ssl-ca-certs", "no usable certificate"),
        ("ca", DAMAGED_CERTIFICATE, "--ssl-ca-certs", "no usable certificate"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    files: Files, file: str, text: str, option: str, reason: str
) -> None:
    """Fail closed; the message names the option and the file, and says what is wrong with it."""
    path: Path = getattr(files, file)
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        contexts(files.verifying())
    message = str(caught.value)
    assert message.startswith(option)
    assert str(path) in message
    assert reason in message


@pytest.mark.parametrize(
    ("file", "option"), [("cert", "--ssl-certfile"), ("key", "--ssl-keyfile"), ("ca", "--ssl-ca-certs")]
)
@pytest.mark.parametrize("kind", ["missing", "directory"])
def test_a_file_that_cannot_be_read_is_named(files: Files, file: str, option: str, kind: str) -> None:
    """As above, for the file system's errors."""
    path: Path = getattr(files, file)
    path.unlink()
    if kind == "directory":
        path.mkdir()
    with pytest.raises(ConfigError) as caught:
        contexts(files.verifying())
    assert str(caught.value).startswith(option)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2", "", "x" * 2000])
@pytest.mark.parametrize("old_form", [False, True], ids=["PKCS8", "traditional"])
def test_a_wrong_password_is_named_as_such_and_not_shown(files: Files, password: str, old_form: bool) -> None:
    """A password that is too long for OpenSSL is wrong as well; secrets stay out of messages."""
    files.key.write_text(SERVER.key_pem("right", old_form))
    with pytest.raises(ConfigError) as caught:
        contexts(files.settings(ssl_keyfile_password=password))
    assert str(caught.value).startswith("--ssl-keyfile-password")
    assert not password or password not in str(caught.value)


def test_a_missing_certificate_option_is_named(files: Files) -> None:
    """A key alone is half a configuration."""
    with pytest.raises(ConfigError, match="--ssl-certfile is missing"):
        contexts(TlsSettings(ssl_keyfile=str(files.key)))


def test_a_missing_key_is_explained(files: Files) -> None:
    """The certificate's file does not hold the key, and no other was given."""
    with pytest.raises(ConfigError, match="--ssl-keyfile"):
        contexts(files.settings(ssl_keyfile=None))


@pytest.mark.parametrize("word", ["optional", "required"])
def test_verification_without_authorities_stops_the_start(files: Files, word: str) -> None:
    """safety.md: a missing CA with client verification on."""
    with pytest.raises(ConfigError, match="--ssl-ca-certs is missing"):
        contexts(files.settings(ssl_cert_reqs=word))


@pytest.mark.parametrize("ciphers", ["nonsense", "", "TLS_AES_128_GCM_SHA256", "ALL:!ALL"])
def test_ciphers_that_select_nothing_stop_the_start(files: Files, ciphers: str) -> None:
    """Never silently OpenSSL's default instead."""
    with pytest.raises(ConfigError, match="--ssl-ciphers"):
        contexts(files.settings(ssl_ciphers=ciphers))


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"ssl_min_version": "SSLv3"}, "--ssl-min-version"),
        ({"ssl_min_version": ""}, "--ssl-min-version"),
        ({"ssl_cert_reqs": "maybe"}, "--ssl-cert-reqs"),
    ],
)
def test_unknown_words_stop_the_start(files: Files, given: dict[str, str], option: str) -> None:
    """Settings made in code have not passed the command line's checks."""
    with pytest.raises(ConfigError, match=option):
        contexts(files.settings(**given))


def test_a_key_log_that_cannot_be_written_stops_the_start(files: Files) -> None:
    """Who asks for it would otherwise wait for it in vain."""
    with pytest.raises(ConfigError, match="SSLKEYLOGFILE"):
        TlsContexts(files.settings(), environ={"SSLKEYLOGFILE": str(files.directory / "no" / "keys")})


# --- client certificates ------------------------------------------------------------------------------------


def test_a_required_client_certificate_is_verified(files: Files) -> None:
    """--ssl-cert-reqs required: a certificate of the authority's chain is taken."""
    ours, _ = handshake(contexts(files.verifying()).context, client_context(CLIENT, files.directory))
    assert ours.getpeercert(binary_form=True) == CLIENT.der


def test_a_client_without_the_required_certificate_is_refused(files: Files) -> None:
    """As above, the other way round."""
    with pytest.raises(ssl.SSLError, match="CERTIFICATE"):
        handshake(contexts(files.verifying()).context, client_context())


def test_a_client_without_an_optional_certificate_is_let_in(files: Files) -> None:
    """--ssl-cert-reqs optional."""
    settings = files.verifying()
    settings.ssl_cert_reqs = "optional"
    handshake(contexts(settings).context, client_context())


@pytest.mark.parametrize("word", ["optional", "required"])
def test_a_client_with_a_strangers_certificate_is_refused(files: Files, word: str) -> None:
    """Optional means none or a good one."""
    settings = files.verifying()
    settings.ssl_cert_reqs = word
    forged = Certificate(common_name("forged"), STRANGER)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE"):
        handshake(contexts(settings).context, client_context(forged, files.directory))


# --- certificates that change -------------------------------------------------------------------------------


class Told:
    """Subscribes to tls_reload and keeps what was told."""

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self.events: list[dict[str, Any]] = []
        self.telemetry.subscribe("tls_reload", lambda **fields: self.events.append(fields))


def test_nothing_happens_while_files_stay_as_they_are(files: Files) -> None:
    """The tick costs a stat a file and no more."""
    told = Told()
    tls = contexts(files.settings(), telemetry=told.telemetry)
    before = tls.context
    assert [tls.refresh() for _ in range(3)] == [None] * 3
    assert tls.context is before
    assert told.events == []


def test_new_connections_get_the_new_certificate(files: Files) -> None:
    """Rename-replace, as certificate tools do it."""
    told = Told()
    tls = contexts(files.settings(), telemetry=told.telemetry)
    files.write(SUCCESSOR)
    assert tls.refresh() == TlsReload(True)
    _, theirs = handshake(tls.context, client_context())
    assert theirs.getpeercert(binary_form=True) == SUCCESSOR.der
    assert told.events == [{"ok": True, "error": "", "certfile": str(files.cert)}]
    assert tls.refresh() is None


def test_a_file_written_in_place_is_noticed(files: Files) -> None:
    """Not every tool renames."""
    tls = contexts(files.settings())
    files.cert.write_text(SUCCESSOR.pem)
    files.key.write_text(SUCCESSOR.key_pem())
    assert tls.refresh() == TlsReload(True)


def test_a_swapped_symbolic_link_is_noticed(tmp_path: Path) -> None:
    """Secrets mounted by an orchestrator: the files are links through a directory link that is swapped."""
    for name, certificate in (("v1", SERVER), ("v2", SUCCESSOR)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tls.crt").write_text(certificate.pem)
        (tmp_path / name / "tls.key").write_text(certificate.key_pem())
    (tmp_path / "..data").symlink_to("v1")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    settings = TlsSettings(ssl_certfile=str(tmp_path / "tls.crt"), ssl_keyfile=str(tmp_path / "tls.key"))
    tls = contexts(settings)
    (tmp_path / "..data_tmp").symlink_to("v2")
    os.replace(tmp_path / "..data_tmp", tmp_path / "..data")
    assert tls.refresh() == TlsReload(True)
    _, theirs = handshake(tls.context, client_context())
    assert theirs.getpeercert(binary_form=True) == SUCCESSOR.der


def test_changed_authorities_are_noticed(files: Files) -> None:
    """The authorities of client certificates are files too."""
    settings = files.verifying()
    tls = contexts(settings)
    files.replace(files.ca, STRANGER.pem)
    assert tls.refresh() == TlsReload(True)
    with pytest.raises(ssl.SSLError):
        handshake(tls.context, client_context(CLIENT, files.directory))


@pytest.mark.parametrize("text", ["junk", DAMAGED_CERTIFICATE, STRANGER.pem, None])
def test_bad_files_leave_the_old_certificate_in_use(files: Files, text: str | None) -> None:
    """Damaged, foreign or missing: reported once, when it is still so at the next tick."""
    told = Told()
    tls = contexts(files.settings(), telemetry=told.telemetry)
    before = tls.context
    if text is None:
        files.cert.unlink()
    else:
        files.replace(files.cert, text)
    results = [tls.refresh() for _ in range(5)]
    assert tls.context is before
    assert results[0] is None
    assert results[1] is not None and not results[1].ok and str(files.cert) in results[1].error
    assert results[2:] == [None] * 3
    assert [event["ok"] for event in told.events] == [False]
    handshake(tls.context, client_context())


def test_a_certificate_that_comes_before_its_key_is_no_failure(files: Files) -> None:
    """Two files cannot be replaced in one instant; a tick between them says nothing."""
    told = Told()
    tls = contexts(files.settings(), telemetry=told.telemetry)
    files.replace(files.cert, SUCCESSOR.pem)
    assert tls.refresh() is None
    files.replace(files.key, SUCCESSOR.key_pem())
    assert tls.refresh() == TlsReload(True)
    assert [event["ok"] for event in told.events] == [True]


def test_good_files_are_used_after_bad_ones(files: Files) -> None:
    """A repaired file needs no restart; another failure is told again."""
    told = Told()
    tls = contexts(files.settings(), telemetry=told.telemetry)
    files.replace(files.cert, "junk")
    tls.refresh(), tls.refresh()
    files.write(SUCCESSOR)
    assert tls.refresh() == TlsReload(True)
    files.replace(files.cert, "junk")
    tls.refresh(), tls.refresh()
    assert [event["ok"] for event in told.events] == [False, True, False]


def test_bad_files_that_go_away_again_are_forgotten(files: Files) -> None:
    """A link is swapped to junk and back: nothing to load, and a later failure is news."""
    good, bad, link = (files.directory / name for name in ("good", "bad", "link"))
    good.write_text(SERVER.pem)
    bad.write_text("junk")

    def swap(target: Path) -> None:
        (files.directory / "new").symlink_to(target)
        os.replace(files.directory / "new", link)

    swap(good)
    tls = contexts(files.settings(ssl_certfile=str(link)))
    for _ in range(2):
        swap(bad)
        results = [tls.refresh() for _ in range(3)]
        assert [result and result.ok for result in results] == [None, False, None]
        swap(good)
        assert tls.refresh() is None


def test_a_new_key_that_needs_a_password_does_not_hang(files: Files) -> None:
    """OpenSSL would ask for it on the terminal."""
    tls = contexts(files.settings())
    files.replace(files.key, SERVER.key_pem("secret"))
    assert tls.refresh() is None
    told = tls.refresh()
    assert told is not None and "--ssl-keyfile-password" in told.error


def test_a_replaced_context_goes_with_its_last_connection(files: Files) -> None:
    """Nothing accumulates over the reloads of a long life."""
    tls = contexts(files.settings())
    old = weakref.ref(tls.context)
    ours, _ = handshake(tls.context, client_context())
    files.write(SUCCESSOR)
    tls.refresh()
    assert old() is ours.context
    del ours
    gc.collect()
    assert old() is None


# --- the ASGI extension -------------------------------------------------------------------------------------


def test_the_extension_of_an_ordinary_connection(files: Files) -> None:
    """ASGI TLS extension: PEM of the server, no client, version and cipher as numbers."""
    tls = contexts(files.settings())
    ours, _ = handshake(tls.context, client_context())
    assert tls_extension(ours, tls) == {
        "server_cert": SERVER.pem,
        "client_cert_chain": [],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": 0x0304,
        "cipher_suite": 0x1302,  # TLS_AES_256_GCM_SHA384 (RFC 8446 appendix B.4), OpenSSL's first choice
    }


@pytest.mark.parametrize(
    ("cipher", "number"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02B),  # RFC 5289 section 3.2
        ("ECDHE-ECDSA-AES256-GCM-SHA384", 0xC02C),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", 0xCCA9),  # RFC 7905 section 2
    ],
)
def test_the_extension_has_the_registered_numbers_of_tls_1_2(files: Files, cipher: str, number: int) -> None:
    """cipher_suite: the two octets of the RFC in network order; tls_version 0x0303."""
    client = client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(cipher)
    tls = contexts(files.settings())
    ours, _ = handshake(tls.context, client)
    told = tls_extension(ours, tls)
    assert told["tls_version"] == 0x0303
    assert told["cipher_suite"] == number


def test_the_server_certificate_is_the_one_of_the_connection(files: Files) -> None:
    """After a reload an old connection still tells the certificate that it was made with."""
    tls = contexts(files.settings())
    old, _ = handshake(tls.context, client_context())
    files.write(SUCCESSOR)
    tls.refresh()
    new, _ = handshake(tls.context, client_context())
    assert tls_extension(old, tls)["server_cert"] == SERVER.pem
    assert tls_extension(new, tls)["server_cert"] == SUCCESSOR.pem


def test_the_server_certificate_is_the_first_of_the_chain(files: Files) -> None:
    """Comments and keys before it, and the chain after it, do not count."""
    leaf = Certificate(common_name("leaf"), INTERMEDIATE, names="server.example")
    files.cert.write_text("# comment\n" + leaf.key_pem() + leaf.pem + INTERMEDIATE.pem)
    tls = contexts(files.settings(ssl_keyfile=None))
    ours, _ = handshake(tls.context, client_context())
    assert tls_extension(ours, tls)["server_cert"] == leaf.pem


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_extension_tells_the_clients_certificate_and_chain(files: Files, version: ssl.TLSVersion) -> None:
    """client_cert_chain: the client's own first, then those it sent; client_cert_name: RFC 4514."""
    tls = contexts(files.verifying())
    client = client_context(CLIENT, files.directory)
    client.maximum_version = version
    ours, _ = handshake(tls.context, client)
    told = tls_extension(ours, tls)
    assert told["client_cert_chain"] == [CLIENT.pem, INTERMEDIATE.pem]
    assert told["client_cert_name"] == "CN=Lučić,O=Example\\, Inc.,C=DE"
    assert told["client_cert_error"] is None


def test_a_resumed_session_still_tells_the_clients_certificate(files: Files) -> None:
    """The client does not send its certificate again (RFC 5246 section 7.3); it is kept in the session."""
    tls = contexts(files.verifying())
    client = client_context(CLIENT, files.directory)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    _, theirs = handshake(tls.context, client)
    ours, again = handshake(tls.context, client, theirs.session)
    assert again.session_reused
    told = tls_extension(ours, tls)
    assert told["client_cert_chain"][0] == CLIENT.pem
    assert told["client_cert_name"] == "CN=Lučić,O=Example\\, Inc.,C=DE"


def test_the_extension_without_an_optional_client_certificate(files: Files) -> None:
    """An empty chain and no name."""
    settings = files.verifying()
    settings.ssl_cert_reqs = "optional"
    tls = contexts(settings)
    ours, _ = handshake(tls.context, client_context())
    told = tls_extension(ours, tls)
    assert (told["client_cert_chain"], told["client_cert_name"]) == ([], None)


def test_the_extension_of_a_foreign_context_has_no_server_certificate(files: Files) -> None:
    """server_cert is None where the server cannot tell."""
    foreign = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    foreign.load_cert_chain(files.cert, files.key)
    ours, _ = handshake(foreign, client_context())
    told = tls_extension(ours, contexts(files.settings()))
    assert told["server_cert"] is None
    assert told["cipher_suite"] is None
    assert told["tls_version"] == 0x0304


# --- names --------------------------------------------------------------------------------------------------


def named(*attributes: tuple[Any, ...] | Iterable[tuple[Any, ...]]) -> bytes:
    """Return a certificate whose subject has these (oid, value[, type]) or lists of them, in this order."""
    groups = [[each] if isinstance(each, tuple) else each for each in attributes]
    name = x509.Name(
        [
            x509.RelativeDistinguishedName(
                [x509.NameAttribute(each[0], each[1], *each[2:], _validate=False) for each in group]
            )
            for group in groups
        ]
    )
    return Certificate(name).der


CN = NameOID.COMMON_NAME
ORGANIZATION = NameOID.ORGANIZATION_NAME


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ('James "Jim" Smith, III', 'James \\"Jim\\" Smith\\, III'),
        ("Before\rAfter", "Before\\0DAfter"),
        ("Lučić", "Lučić"),
        ("a+b", "a\\+b"),
        ("a;b<c>d", "a\\;b\\<c\\>d"),
        ("back\\slash", "back\\\\slash"),
        ("#hash", "\\#hash"),
        ("no#hash", "no#hash"),
        (" both ", "\\ both\\ "),
        (" ", "\\ "),
        ("  ", "\\ \\ "),
        ("in side", "in side"),
        ("a=b", "a=b"),
        ("nul\0", "nul\\00"),
        ("line\nfeed", "line\\0Afeed"),
        ("del\x7f", "del\\7F"),
        ("日本語", "日本語"),
        ("\U0001f512", "\U0001f512"),
    ],
)
def test_values_of_a_name_are_escaped(value: str, written: str) -> None:
    """RFC 4514 section 2.4; controls are escaped too, so that the name stays on one line."""
    assert subject_of(named((CN, value))) == f"CN={written}"


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        (NameOID.COMMON_NAME, "CN"),
        (NameOID.LOCALITY_NAME, "L"),
        (NameOID.STATE_OR_PROVINCE_NAME, "ST"),
        (NameOID.ORGANIZATION_NAME, "O"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "OU"),
        (NameOID.STREET_ADDRESS, "STREET"),
        (NameOID.DOMAIN_COMPONENT, "DC"),
        (NameOID.USER_ID, "UID"),
        (NameOID.SERIAL_NUMBER, "serialNumber"),
        (NameOID.EMAIL_ADDRESS, "emailAddress"),
    ],
)
def test_registered_attributes_have_their_short_names(oid: ObjectIdentifier, name: str) -> None:
    """RFC 4514 section 3 and the registry of LDAP names."""
    assert subject_of(named((oid, "x"))) == f"{name}=x"


def test_names_are_written_in_reverse_order() -> None:
    """RFC 4514 section 2.1: the last element of the sequence comes first."""
    assert subject_of(named((ORGANIZATION, "Example"), (CN, "a"), (CN, "b"))) == "CN=b,CN=a,O=Example"


def test_the_parts_of_a_multi_valued_name_are_joined_by_plus() -> None:
    """RFC 4514 section 2.2."""
    assert set(subject_of(named([(ORGANIZATION, "Example"), (CN, "a")])).split("+")) == {"O=Example", "CN=a"}


def test_an_empty_subject_is_an_empty_string() -> None:
    """RFC 4514 section 2.1: an empty sequence gives an empty string."""
    assert subject_of(Certificate(x509.Name([])).der) == ""


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (_ASN1Type.UTF8String, "grün"),
        (_ASN1Type.PrintableString, "green"),
        (_ASN1Type.IA5String, "green@example"),
        (_ASN1Type.NumericString, "12 34"),
        (_ASN1Type.VisibleString, "green"),
        (_ASN1Type.BMPString, "grün"),
    ],
)
def test_every_string_type_is_decoded(kind: _ASN1Type, value: str) -> None:
    """RFC 5280 section 4.1.2.4 allows several types of strings."""
    assert subject_of(named((CN, value, kind))) == f"CN={value}"


def test_an_attribute_without_a_registered_name_is_written_in_hexadecimal() -> None:
    """RFC 4514 section 2.4: a dotted OID goes with # and the value's BER encoding."""
    assert subject_of(named((ObjectIdentifier("1.3.6.1.4.1.1466.0"), "Hi"))) == "1.3.6.1.4.1.1466.0=#0c024869"


def test_large_object_identifiers_are_decoded() -> None:
    """X.690 section 8.19: arcs of several octets, and 2.x with x above 39."""
    assert subject_of(named((ObjectIdentifier("2.999.16383.1"), "x"))).startswith("2.999.16383.1=#")


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_a_long_name_has_a_length_of_several_octets() -> None:
    """X.690 section 8.1.3.5: the long form of a length."""
    assert subject_of(named((CN, "x" * 70000))) == "CN=" + "x" * 70000


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 20, 60, 100])
def test_a_certificate_that_is_cut_short_is_refused(cut: int) -> None:
    """Never an index error, never half a name."""
    with pytest.raises(ValueError):
        subject_of(CLIENT.der[:cut])


def test_no_change_of_one_octet_ends_in_another_error_than_value_error() -> None:
    """The fuzz rule: a name or a documented error."""
    for position in range(250):
        for value in (0x00, 0x30, 0x7F, 0x80, 0x84, 0xFF):
            changed = bytearray(CLIENT.der)
            changed[position] = value
            with contextlib.suppress(ValueError):
                subject_of(bytes(changed))


def test_an_unreadable_subject_is_no_identity(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail closed: then there is an error and neither name nor chain."""

    def refuse(certificate: bytes) -> str:
        raise ValueError("cut short")

    monkeypatch.setattr("alsvid.net.tls.subject_of", refuse)
    tls = contexts(files.verifying())
    ours, _ = handshake(tls.context, client_context(CLIENT, files.directory))
    told = tls_extension(ours, tls)
    assert told["client_cert_chain"] == []
    assert told["client_cert_name"] is None
    assert "cut short" in told["client_cert_error"]

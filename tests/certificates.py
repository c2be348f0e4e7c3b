"""Certificates for tests, made anew for each."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_FROM = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_TO = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


class CertificateFiles(NamedTuple):
    """Paths of a self-signed certificate and its key."""

    cert: str
    key: str


def write_certificate(directory: Path, name: str = "localhost") -> CertificateFiles:
    """Make a certificate that is its own authority, for server and client alike."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = CertificateFiles(str(directory / f"{name}.pem"), str(directory / f"{name}.key"))
    Path(files.cert).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    Path(files.key).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def client_context(server: CertificateFiles, own: CertificateFiles | None = None) -> ssl.SSLContext:
    """Return what a client that trusts the server's certificate connects with."""
    context = ssl.create_default_context(cafile=server.cert)
    if own is not None:
        context.load_cert_chain(own.cert, own.key)
    return context

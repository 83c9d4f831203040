"""Certificates made for one test."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificate(folder: Path, address: str, *, valid_days: int) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a self-signed certificate for an IP address.

    Args:
        folder: where its file goes.
        address: whom it names.
        valid_days: until when, from now; negative: it has expired.

    Returns:
        The server's context, and a client's that trusts this certificate as an authority.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made for a test")])
    end = datetime.now(UTC) + timedelta(days=valid_days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=30))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{address}-{valid_days}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[..., tuple[ssl.SSLContext, ssl.SSLContext]]:
    """Makes certificates: ``server, client = certificate("127.0.0.1", valid_days=1)``."""

    def make(address: str, *, valid_days: int = 1) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        return make_certificate(tmp_path, address, valid_days=valid_days)

    return make

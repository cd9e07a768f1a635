"""A private authority for tests, and certificates that it signs."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_DAY: Final = timedelta(days=1)


class Issued(NamedTuple):
    """The files of a certificate and of its key, as PEM."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates for servers and for clients."""

    def __init__(self, directory: Path) -> None:
        """Its files, and those of what it signs, are in the directory."""
        self._directory, self._key = directory, ec.generate_private_key(ec.SECP256R1())
        self._name = _named(f"authority {uuid4().hex}")
        own = _draft(self._name, self._name, self._key, authority=True)
        self.file = directory / f"{uuid4().hex}.ca.pem"
        self.file.write_bytes(own.sign(self._key, SHA256()).public_bytes(Encoding.PEM))

    def issue(self, *hosts: str) -> Issued:
        """A new certificate and key for a server with these names, or for a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        draft = _draft(_named(hosts[0]), self._name, key, authority=False)
        made = draft.add_extension(names, critical=False).sign(self._key, SHA256())
        stem = self._directory / uuid4().hex
        issued = Issued(stem.with_suffix(".crt"), stem.with_suffix(".key"))
        issued.certificate.write_bytes(made.public_bytes(Encoding.PEM))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        issued.key.touch(mode=0o600)
        issued.key.write_bytes(pem)
        return issued


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)

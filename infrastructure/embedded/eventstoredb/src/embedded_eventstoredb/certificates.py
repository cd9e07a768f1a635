"""Self-made certificates: an authority that clients trust, and a certificate for the node.

The authority is kept in a directory, so clients that trust it go on trusting it after a restart.
The node's own certificate is made anew at each start, and its key never touches the disk.
"""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from embedded_eventstoredb.listener import CertificatesUnavailable

_CERTIFICATE: Final = "ca.crt"
_KEY: Final = "ca.key"
_VALID: Final = timedelta(days=3650)


class NodeCertificate(NamedTuple):
    """A private key and its certificate, in PEM; and the file of the authority, for clients."""

    key: bytes
    certificate: bytes
    authority: Path


class _Authority(NamedTuple):
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def node_certificate(directory: Path, hosts: Iterable[str]) -> NodeCertificate:
    """A certificate for these host names and addresses, signed by the directory's authority.

    Makes the authority (``ca.crt``, ``ca.key``) when there is none yet.
    Raises CertificatesUnavailable.
    """
    try:
        authority = _kept(directory) or _made(directory)
    except (OSError, ValueError, TypeError) as error:
        raise CertificatesUnavailable(
            f"cannot keep a certificate authority in {directory}: {error}; give a directory "
            f"that this user may write in, or remove {_CERTIFICATE} and {_KEY} from it"
        ) from error
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName(map(_general_name, dict.fromkeys(hosts)))
    draft = _draft("eventstoredb-node", authority.certificate.subject, key, path_length=None)
    certificate = draft.add_extension(names, critical=False).sign(authority.key, SHA256())
    return NodeCertificate(
        _pem(key), certificate.public_bytes(Encoding.PEM), (directory / _CERTIFICATE).absolute()
    )


def _kept(directory: Path) -> _Authority | None:
    if not (directory / _CERTIFICATE).exists():
        return None
    key = load_pem_private_key((directory / _KEY).read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{_KEY} is not a key that this node made")
    return _Authority(key, x509.load_pem_x509_certificate((directory / _CERTIFICATE).read_bytes()))


def _made(directory: Path) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = "eventstoredb-authority"
    certificate = _draft(name, _name(name), key, path_length=0).sign(key, SHA256())
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / _KEY, _pem(key), 0o600)
    _write(directory / _CERTIFICATE, certificate.public_bytes(Encoding.PEM), 0o644)
    return _Authority(key, certificate)


def _draft(
    subject: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, path_length: int | None
) -> x509.CertificateBuilder:
    """``path_length`` None: a certificate that cannot sign others."""
    now = datetime.now(UTC)
    authority = path_length is not None
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks may differ
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as opened:
        opened.write(content)

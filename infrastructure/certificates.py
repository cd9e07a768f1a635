"""Files of certificates and keys in PEM, checked before a driver reads them.

Drivers report such files late, without their names, or ask for a pass phrase on the terminal.
"""

import ssl
from pathlib import Path

from infrastructure.settings import Settings, named


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """A context that trusts the certificates in this file; without one, those of the system.

    Raises ``ValueError`` for a file that cannot be read, or has no certificates.
    """
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise ValueError(
            f"{ca_file} cannot be read as certificates: {_reason(error)}: name a file in PEM, with "
            "the certificate of the authority"
        ) from error


def require_pair(certificate: Path, key: Path) -> None:
    """Raises ``ValueError`` unless these are a certificate and its key, without a pass phrase."""
    try:
        ssl.create_default_context().load_cert_chain(certificate, key, password=_no_pass_phrase)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{certificate} and {key} are not a certificate and its key: {_reason(error)}: name "
            "two files in PEM that belong together, the key without a pass phrase"
        ) from error


def require_files(settings: Settings, server: str) -> None:
    """Checks the files that ``SERVER_ca_file``, ``…_certificate_file`` and ``…_key_file`` name.

    Raises ``InvalidSettings`` for one that is not there, or has something else in it.
    """
    ca, certificate, key = (
        getattr(settings, f"{server}_{file}_file", None) for file in ("ca", "certificate", "key")
    )
    if ca is not None:
        with named(settings.name_of(f"{server}_ca_file")):
            trusted(ca)
    if certificate is not None and key is not None:  # checked with the settings: both or neither
        with named(settings.name_of(f"{server}_certificate_file")):
            require_pair(certificate, key)


def _no_pass_phrase() -> str:
    """Without this function, OpenSSL asks for one on the terminal."""
    return ""


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)

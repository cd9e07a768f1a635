"""Master keys wrap the data keys, so that a copy of the key table alone opens nothing.

There may be several: the newest wraps, and the older ones unwrap what they have wrapped. A wrapped
key is bound to its subject, so it cannot be put in the place of another subject's.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from application.ports.keys import KEY_BYTES

if TYPE_CHECKING:  # imported where it is used: it takes 30 ms
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12
DEVELOPMENT: Final = b64encode(sha256(b"not a secret, for development").digest()).decode()
"""Known to everybody: for servers that only this machine can reach."""


class NoMasterKey(Exception):
    """A data key was wrapped by a master key that is not here, or it was changed since."""


@dataclass(frozen=True)
class Wrapped:
    """A data key as it is stored."""

    master: str
    """The fingerprint of the master key that wraps it."""
    data: bytes


class MasterKeys:
    """The master keys of a service, the newest first."""

    def __init__(self, newest: bytes, before: Sequence[bytes] = ()) -> None:
        self._keys: Mapping[str, bytes] = {fingerprint(one): one for one in (newest, *before)}
        self.newest = fingerprint(newest)
        """The fingerprint of the one that wraps."""

    @property
    def fingerprints(self) -> Collection[str]:
        """Of all that are here."""
        return self._keys.keys()

    def wrap(self, subject: str, key: bytes) -> Wrapped:
        """The data key of that subject, wrapped by the newest master key."""
        nonce = token_bytes(_NONCE_BYTES)
        sealed = _cipher(self._keys[self.newest]).encrypt(nonce, key, subject.encode())
        return Wrapped(self.newest, nonce + sealed)

    def unwrap(self, subject: str, wrapped: Wrapped) -> bytes:
        """The data key. Raises :class:`NoMasterKey`."""
        from cryptography.exceptions import InvalidTag

        if wrapped.master not in self._keys:
            raise NoMasterKey(
                f"the key of {subject!r} is wrapped by the master key {wrapped.master}, which is "
                f"not set: there are {', '.join(self._keys)}"
            )
        nonce, sealed = wrapped.data[:_NONCE_BYTES], wrapped.data[_NONCE_BYTES:]
        try:
            return _cipher(self._keys[wrapped.master]).decrypt(nonce, sealed, subject.encode())
        except (InvalidTag, ValueError) as error:
            raise NoMasterKey(f"the stored key of {subject!r} is damaged") from error

    def rewrap(self, subject: str, wrapped: Wrapped) -> Wrapped:
        """The same data key, wrapped by the newest master key. Raises :class:`NoMasterKey`."""
        return self.wrap(subject, self.unwrap(subject, wrapped))


def new_master_key() -> str:
    """A new one, as it is written in the settings."""
    return b64encode(token_bytes(KEY_BYTES)).decode()


def read_master_key(text: str) -> bytes:
    """The key that is written so. ``ValueError`` unless it is 32 bytes in base64."""
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("a master key is 32 random bytes in base64: `openssl rand -base64 32`")
    return key


def fingerprint(master: bytes) -> str:
    """What a master key is called in stores and messages. It gives nothing of the key away."""
    return sha256(b"master key\0" + master).hexdigest()[:12]


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)

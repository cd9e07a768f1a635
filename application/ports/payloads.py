"""What is too large for an event, by its hash."""

import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class PayloadUnavailable(Exception):
    """A payload is missing, or does not match its digest."""


class PayloadDamaged(PayloadUnavailable):
    """A payload is there, but its content does not match its digest."""


def require_digest(digest: str) -> None:
    """Raise :class:`PayloadUnavailable` for a text that is not a SHA-256 in hex."""
    if not _DIGEST.fullmatch(digest):
        raise PayloadUnavailable(f"{digest!r} is not a SHA-256: it has 64 digits of 0-9a-f")


def require_whole(data: bytes, digest: str, place: object) -> bytes:
    """The data. Raises :class:`PayloadDamaged` if its hash is not ``digest``."""
    if sha256(data).hexdigest() != digest:
        raise PayloadDamaged(f"{place} is damaged: its content has another SHA-256")
    return data


class PayloadStore(Protocol):
    """Bytes by the hash of their content: written once, never changed."""

    async def put(self, data: bytes) -> str:
        """Keep ``data`` durably; its SHA-256 in hex. Keeping it twice is keeping it once.

        Replaces a damaged payload. Raises ``StoreUnavailable``; then nothing is known to be kept.
        """
        ...

    async def get(self, digest: str) -> bytes:
        """The payload, also one that was set aside.

        Raises :class:`PayloadUnavailable` when it is missing, :class:`PayloadDamaged` when its hash
        is not ``digest``, and ``StoreUnavailable`` when that cannot be found out.
        """
        ...

    async def check(self, *, writable: bool = True) -> None:
        """Return if payloads can be read now, and kept, unless ``writable`` is false.

        Raises ``StoreUnavailable``, with what is wrong, and what would be right.
        """
        ...


# ── removing ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, order=True)
class StoredPayload:
    """A payload as it lies in its store."""

    digest: str
    """Or the name of what a killed writer has left behind."""
    size: int
    """In bytes."""
    since: datetime
    """When it was stored last, or set aside."""
    aside: bool = False

    @property
    def is_payload(self) -> bool:
        """Whether it is one, and not what a killed writer has left behind."""
        return _DIGEST.fullmatch(self.digest) is not None


class SweepablePayloads(PayloadStore, Protocol):
    """A payload store that can be listed, and of which payloads can be removed, in two steps.

    A payload is set aside first. It can still be read, and putting it again stores it anew. Only
    what was set aside can be removed. So a payload that is put while it is set aside is not lost.
    """

    def stored(self) -> AsyncIterator[StoredPayload]:
        """All payloads, in any order, and what killed writers have left. One may be listed twice:
        stored, and set aside. Raises ``StoreUnavailable``."""
        ...

    async def set_aside(self, payload: StoredPayload) -> None:
        """Set a stored payload aside, as of now. Raises ``StoreUnavailable``.

        Does nothing if it is not there any more. One that is damaged may get lost if it is put
        meanwhile.
        """
        ...

    async def remove(self, payload: StoredPayload) -> None:
        """Remove this payload, which was set aside, for good. Raises ``StoreUnavailable``.

        The same payload, stored or set aside at another moment, stays.
        """
        ...

    async def logs(self) -> Collection[str]:
        """The ids of the logs whose events refer to payloads here. Raises ``StoreUnavailable``."""
        ...

    async def note_log(self, id: str) -> None:
        """Note for good that events of this log refer to payloads here.

        Raises ``StoreUnavailable``.
        """
        ...

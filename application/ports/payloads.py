"""What is too large for an event, by its hash."""

from typing import Protocol


class PayloadUnavailable(Exception):
    """A payload is missing, or does not match its digest."""


class PayloadStore(Protocol):
    """Bytes by the hash of their content: written once, never changed."""

    async def put(self, data: bytes) -> str:
        """Keep ``data`` durably; its SHA-256 in hex. Keeping it twice is keeping it once."""
        ...

    async def get(self, digest: str) -> bytes:
        """Raises :class:`PayloadUnavailable` when it is missing or its hash is not ``digest``."""
        ...

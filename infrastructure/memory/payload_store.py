"""Payloads in memory."""

from hashlib import sha256

from application.ports import PayloadUnavailable


class PayloadStore:
    """A :class:`~application.ports.PayloadStore`."""

    def __init__(self) -> None:
        self._payloads: dict[str, bytes] = {}

    async def put(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        self._payloads[digest] = data
        return digest

    async def get(self, digest: str) -> bytes:
        try:
            return self._payloads[digest]
        except KeyError:
            raise PayloadUnavailable(f"no payload has the SHA-256 {digest!r}") from None

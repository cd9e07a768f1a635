"""Payloads as objects, each named by the SHA-256 of its content.

An object appears whole or not at all, and a new one is written only if there is none of its name.
So two writers of the same content do not conflict. All names are as in a directory of payloads:
copying the files moves them.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import obstore
from obstore.exceptions import AlreadyExistsError

from application.ports import (
    PayloadUnavailable,
    StoredPayload,
    require_digest,
    require_whole,
)
from infrastructure.payload_names import ASIDE, LOGS, PROBE, aside, note_of, stored_at
from infrastructure.s3.bucket import Bucket
from infrastructure.s3.credentials import Credentials

if TYPE_CHECKING:
    from obstore import ListStream, ObjectMeta

PART: Final = 8 * 1024 * 1024
"""Bytes in one request: a larger payload is uploaded in parts of that size."""
_PROMPT: Final = timedelta(minutes=1)
_PAGE: Final = 1000  # objects in one answer


class PayloadStore:
    """A :class:`~application.ports.SweepablePayloads` in a bucket, which has to exist."""

    def __init__(self, bucket: Bucket, credentials: Credentials | None = None) -> None:
        self._bucket, self._objects = bucket, bucket.open(credentials)

    def __repr__(self) -> str:
        return f"PayloadStore({self})"

    def __str__(self) -> str:
        return str(self._bucket)

    async def put(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        with self._bucket.answering():
            if not await self._create(digest, data) and not await self._holds(digest, data):
                await self._write(digest, data)
        return digest

    async def get(self, digest: str) -> bytes:
        require_digest(digest)
        with suppress(PayloadUnavailable):
            return await self._whole(digest, digest)
        async for path, *_ in self._listed(f"{ASIDE}/{digest}"):
            with suppress(PayloadUnavailable):
                return await self._whole(path, digest)
        return await self._whole(digest, digest)  # it may have been put back meanwhile

    async def check(self, *, writable: bool = True) -> None:
        """As the port: reads an object that is not a payload, and writes it."""
        with suppress(FileNotFoundError), self._bucket.answering():
            await self._read(PROBE)  # before writing: some servers make a missing bucket
        if writable:
            with self._bucket.answering():
                await self._write(PROBE, b"")

    async def _create(self, digest: str, data: bytes) -> bool:
        """Whether it was written; not, if there is an object of that name."""
        if len(data) > PART:  # no condition can be set on parts
            if await self._holds(digest, data):
                return True
            await self._write(digest, data)
            return True
        try:
            await obstore.put_async(self._objects, digest, data, mode="create")
        except AlreadyExistsError:
            return False
        return True

    async def _holds(self, digest: str, data: bytes) -> bool:
        """Whether the payload is there, undamaged."""
        try:
            return await self._read(digest) == data
        except FileNotFoundError:
            return False

    async def _write(self, name: str, data: bytes) -> None:
        parts = len(data) > PART
        await obstore.put_async(self._objects, name, data, use_multipart=parts, chunk_size=PART)

    async def _read(self, name: str) -> bytes:
        found = await obstore.get_async(self._objects, name)
        return bytes(await found.bytes_async())

    async def _whole(self, name: str, digest: str) -> bytes:
        with self._bucket.answering():
            try:
                data = await self._read(name)
            except FileNotFoundError:
                raise PayloadUnavailable(f"no payload {digest} in {self._bucket}") from None
        return require_whole(data, digest, f"{name} in {self._bucket}")

    # ── removing ─────────────────────────────────────────────────────────────────────────────────

    async def stored(self) -> AsyncIterator[StoredPayload]:
        async for path, size, modified in self._listed(""):
            if found := stored_at(path, size, modified):
                yield found

    async def set_aside(self, payload: StoredPayload) -> None:
        """As the port: a crash in the middle leaves it in both places, and so does a long pause.

        A writer may find the payload there in the pause. Its copy is dated from before that.
        """
        with self._bucket.answering(), suppress(FileNotFoundError):
            now = datetime.now(UTC)
            await obstore.copy_async(self._objects, payload.digest, aside(payload.digest, now))
            if datetime.now(UTC) - now < _PROMPT:
                await obstore.delete_async(self._objects, payload.digest)

    async def remove(self, payload: StoredPayload) -> None:
        with self._bucket.answering(), suppress(FileNotFoundError):
            await obstore.delete_async(self._objects, aside(payload.digest, payload.since))

    async def logs(self) -> Collection[str]:
        return [unquote(path.removeprefix(f"{LOGS}/")) async for path, *_ in self._listed(LOGS)]

    async def note_log(self, id: str) -> None:
        with self._bucket.answering(), suppress(AlreadyExistsError):
            await obstore.put_async(self._objects, note_of(id), b"", mode="create")

    async def _listed(self, prefix: str) -> AsyncIterator[tuple[str, int, datetime]]:
        """Path, size and time of every object below."""
        pages = obstore.list(self._objects, prefix or None, chunk_size=_PAGE).__aiter__()
        while page := await self._page(pages):
            for one in page:
                yield one["path"], one["size"], one["last_modified"]

    async def _page(self, pages: "ListStream[Sequence[ObjectMeta]]") -> "Sequence[ObjectMeta]":
        with self._bucket.answering():
            try:
                return await anext(pages)
            except StopAsyncIteration:
                return ()

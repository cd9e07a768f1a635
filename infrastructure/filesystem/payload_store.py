"""Payloads as files, each named by the SHA-256 of its content.

A payload is written to a temporary file, flushed to the disk and renamed. So a file under its final
name is complete, also after a crash, and two writers of the same content do not conflict.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from application.ports import (
    PayloadUnavailable,
    StoredPayload,
    StoreUnavailable,
    require_digest,
    require_whole,
)
from infrastructure.filesystem.files import flush, replace, require_directory
from infrastructure.payload_names import (
    ASIDE,
    DRAFT,
    LOGS,
    PROBE,
    aside,
    note_of,
    stored_at,
)


class PayloadStore:
    """A :class:`~application.ports.SweepablePayloads` in one directory, made when needed."""

    def __init__(self, directory: Path, setting: str = "payloads") -> None:
        """``setting``: what errors call the setting that names the directory."""
        self._directory, self._setting = directory, setting

    def __repr__(self) -> str:
        return f"PayloadStore({self})"

    def __str__(self) -> str:
        return str(self._directory)

    async def put(self, data: bytes) -> str:
        """As the port; raises :class:`StoreUnavailable` when the directory cannot be written."""
        return await asyncio.to_thread(self._put, data)

    async def get(self, digest: str) -> bytes:
        return await asyncio.to_thread(self._get, digest)

    async def check(self, *, writable: bool = True) -> None:
        """As the port: looks for the directory, or writes a file in it that is not a payload."""
        if writable:
            await asyncio.to_thread(self._write, PROBE, b"")
        elif not await asyncio.to_thread(self._directory.is_dir):
            raise StoreUnavailable(
                f"{self._setting}: {self._directory} is not a directory: name one with payloads"
            )

    def _put(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        if not self._holds(digest, data):
            self._write(digest, data)
        with self._answering():
            flush(self._directory)  # also for a payload that another process is writing now
        return digest

    def _get(self, digest: str) -> bytes:
        require_digest(digest)
        with suppress(PayloadUnavailable):
            return self._whole(self._directory / digest, digest)
        for path in (self._directory / ASIDE / digest).glob("*"):
            with suppress(PayloadUnavailable):
                return self._whole(path, digest)
        return self._whole(self._directory / digest, digest)  # it may have been put back meanwhile

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raises ``StoreUnavailable`` for an error of the disk. ``FileNotFoundError`` passes."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreUnavailable(
                f"{self._setting}: the payloads in {self._directory} cannot be used "
                f"({error.strerror}): make the directory readable and writable, or name another"
            ) from error

    def _whole(self, path: Path, digest: str) -> bytes:
        with self._answering():
            try:
                data = path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                raise PayloadUnavailable(f"no payload {digest} in {self._directory}") from None
        return require_whole(data, digest, path)

    def _holds(self, digest: str, data: bytes) -> bool:
        """Whether the payload is there, undamaged."""
        with self._answering(), suppress(FileNotFoundError):
            return (self._directory / digest).read_bytes() == data
        return False

    def _write(self, name: str, data: bytes) -> None:
        with self._answering():
            replace(self._directory / name, data)

    # ── removing ─────────────────────────────────────────────────────────────────────────────────

    async def stored(self) -> AsyncIterator[StoredPayload]:
        for found in await asyncio.to_thread(lambda: [*self._stored()]):
            yield found

    async def set_aside(self, payload: StoredPayload) -> None:
        await asyncio.to_thread(self._set_aside, payload.digest)

    async def remove(self, payload: StoredPayload) -> None:
        await asyncio.to_thread(self._remove, aside(payload.digest, payload.since))

    async def logs(self) -> Collection[str]:
        with self._answering(), suppress(FileNotFoundError):
            names = os.listdir(self._directory / LOGS)
            return [unquote(name) for name in names if not name.startswith(DRAFT)]
        return []

    async def note_log(self, id: str) -> None:
        await asyncio.to_thread(self._write, note_of(id), b"")

    def _stored(self) -> Iterator[StoredPayload]:
        with self._answering():
            for path in self._directory.glob("**/*"):
                with suppress(FileNotFoundError):  # it was moved or removed meanwhile
                    found = path.stat()
                    modified = datetime.fromtimestamp(found.st_mtime, UTC)
                    name = path.relative_to(self._directory).as_posix()
                    if path.is_file() and (known := stored_at(name, found.st_size, modified)):
                        yield known

    def _set_aside(self, name: str) -> None:
        with self._answering(), suppress(FileNotFoundError):
            to = aside(name, datetime.now(UTC))
            require_directory((self._directory / to).parent)
            os.rename(self._directory / name, self._directory / to)
            flush((self._directory / to).parent)
            flush(self._directory)

    def _remove(self, name: str) -> None:
        path = self._directory / name
        with self._answering(), suppress(FileNotFoundError):
            path.unlink()
        with suppress(OSError):  # it is not empty
            path.parent.rmdir()

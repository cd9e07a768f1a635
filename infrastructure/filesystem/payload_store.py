"""Payloads as files, each named by the SHA-256 of its content.

A payload is written to a temporary file, flushed to the disk and renamed. So a file under its final
name is complete, also after a crash, and two writers of the same content do not conflict.
"""

import asyncio
import os
import re
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from application.ports import PayloadUnavailable, StoreUnavailable

_DIGEST = re.compile(r"[0-9a-f]{64}")


class PayloadStore:
    """A :class:`~application.ports.PayloadStore` in one directory, which is made when needed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, data: bytes) -> str:
        """As the port; raises :class:`StoreUnavailable` when the directory cannot be written."""
        return await asyncio.to_thread(self._put, data)

    async def get(self, digest: str) -> bytes:
        return await asyncio.to_thread(self._get, digest)

    def _put(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        path = self._directory / digest
        try:
            if not _holds(path, data):
                self._write(path, data)
            _flush(self._directory)  # also for a payload that another process is writing now
        except OSError as error:
            raise StoreUnavailable(f"cannot store a payload at {path}: {error}") from error
        return digest

    def _get(self, digest: str) -> bytes:
        if not _DIGEST.fullmatch(digest):
            raise PayloadUnavailable(f"{digest!r} is not a SHA-256: it has 64 digits of 0-9a-f")
        path = self._directory / digest
        try:
            data = path.read_bytes()
        except OSError as error:
            raise PayloadUnavailable(f"no payload {digest}: {error}") from error
        if sha256(data).hexdigest() != digest:
            raise PayloadUnavailable(f"{path} is damaged: its content has another SHA-256")
        return data

    def _write(self, path: Path, data: bytes) -> None:
        if not self._directory.is_dir():
            self._directory.mkdir(parents=True, exist_ok=True)
            _flush(self._directory.parent)
        descriptor, draft = tempfile.mkstemp(dir=self._directory, prefix="draft-")
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise


def _holds(path: Path, data: bytes) -> bool:
    """Whether the payload is there, undamaged."""
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _flush(directory: Path) -> None:
    """Make the names in it as durable as the files."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

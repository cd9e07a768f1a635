"""Files that are whole under their names, also after a crash."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from infrastructure.payload_names import DRAFT


def replace(path: Path, data: bytes) -> None:
    """Write a file, flushed to the disk, and put it in the place of what has its name."""
    require_directory(path.parent)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=DRAFT)
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


def require_directory(directory: Path) -> None:
    """Make it, and those above it, as durable as its files."""
    if not directory.is_dir():
        require_directory(directory.parent)
        directory.mkdir(exist_ok=True)
        flush(directory.parent)


def flush(directory: Path) -> None:
    """Make the names in it as durable as the files."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

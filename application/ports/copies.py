"""What other systems keep of what the service has sent there."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Copy:
    """One thing that such a system keeps: a record, or an event of a history."""

    where: str
    """Which one, as its own tools name it: ``record bank.account/0@17``."""
    parts: Sequence[bytes]
    """All texts of it that can be read without a key: JSON, or any other."""


class Copies(Protocol):
    """A system that keeps what the service has sent there, to be searched, and never changed.

    What is encrypted in it is shown as it stands there.
    """

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def unit(self) -> str:
        """What it keeps, as a plural: ``records``."""
        ...

    def kept(self) -> AsyncIterator[Copy]:
        """All that it keeps as of now, in any order. A few at a time are in memory.

        Raises ``StoreUnavailable`` where that cannot be shown to its end.
        """
        ...

    async def beyond(self) -> Sequence[str]:
        """What of it cannot be shown, or can be read with a key, in words for operators.

        Raises ``StoreUnavailable``.
        """
        ...

"""What another system keeps, in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence

from application.ports import Copy, StoreUnavailable


class Copies:
    """A :class:`~application.ports.Copies`."""

    name, unit = "another system", "copies"

    def __init__(self, kept: Mapping[str, Sequence[bytes]], fault: str | None = None) -> None:
        """What it keeps, by where it is; ``fault``: why it does not answer."""
        self._kept, self._fault = kept, fault

    async def kept(self) -> AsyncIterator[Copy]:
        self._require_answer()
        for where, parts in self._kept.items():
            yield Copy(where, parts)

    async def beyond(self) -> Sequence[str]:
        self._require_answer()
        return ()

    def _require_answer(self) -> None:
        if self._fault is not None:
            raise StoreUnavailable(self._fault)

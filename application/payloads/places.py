"""Payloads in several stores: written to the first, read from the first that has them whole."""

from collections.abc import Callable

from application.ports import (
    PayloadDamaged,
    PayloadStore,
    PayloadUnavailable,
    StoreUnavailable,
)

Report = Callable[[Exception], None]
"""Called with what was wrong in one store, although another one had the payload."""


def ignore(_: Exception) -> None:
    """For callers that need not know."""


class PayloadPlaces:
    """A :class:`~application.ports.PayloadStore` over others, so that payloads can move."""

    def __init__(self, first: PayloadStore, *others: PayloadStore, report: Report = ignore) -> None:
        """Nothing is written to the ``others``. They are asked in this order, after the first."""
        self._first, self._places, self._report = first, (first, *others), report

    async def put(self, data: bytes) -> str:
        return await self._first.put(data)

    async def get(self, digest: str) -> bytes:
        """As the port. A store that fails, or has it damaged, is passed over and reported.

        If no other has it, raises what is worst: ``StoreUnavailable``, since it may be there.
        """
        failures: list[Exception] = []
        for place in self._places:
            try:
                found = await place.get(digest)
            except (PayloadUnavailable, StoreUnavailable) as error:
                failures.append(error)
            else:
                for failure in failures:
                    if (
                        type(failure) is not PayloadUnavailable
                    ):  # where it is not is as it should be
                        self._report(failure)
                return found
        raise max(failures, key=_gravity)

    async def check(self, *, writable: bool = True) -> None:
        """As the port; the others have to be readable."""
        for place in self._places:
            await place.check(writable=writable and place is self._first)


def _gravity(failure: Exception) -> int:
    """0 for a payload that is only not there: another store is to have it."""
    if isinstance(failure, StoreUnavailable):
        return 2
    return 1 if isinstance(failure, PayloadDamaged) else 0

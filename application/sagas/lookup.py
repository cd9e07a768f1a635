"""Finds a saga by its full name, or by an id alone if only one saga has it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from application.ports import EventStore
from application.sagas.operating import UnknownSaga, saga_category


@dataclass(frozen=True)
class SagaName:
    """The saga and its id, written as its stream is called: ``money_transfer-536365``."""

    saga: str
    id: str

    def __str__(self) -> str:
        return saga_category(self.saga).stream(self.id)


class SeveralSagas(Exception):
    """More than one saga has this id."""

    def __init__(self, given: str, found: Sequence[SagaName]) -> None:
        names = " and ".join(map(str, found))
        super().__init__(f"{given} may be {names}: give the whole name")


class NoSuchSaga(ValueError):
    """The service has no saga of this name."""

    def __init__(self, saga: str, known: Collection[str]) -> None:
        super().__init__(f"there is no saga {saga!r}, but {', '.join(sorted(known))}")


async def find_saga(
    store: EventStore, sagas: Collection[str], given: str, saga: str | None = None
) -> SagaName:
    """The one saga, of these names, that was started and that ``given`` names.

    That is an id, or the saga and the id (``money_transfer-536365``). ``saga`` says which one is
    meant. Raises :class:`SeveralSagas`, :class:`NoSuchSaga`, ``UnknownSaga`` and what the store
    raises.
    """
    if saga is not None and saga not in sagas:
        raise NoSuchSaga(saga, sagas)
    meant = _meant(sagas if saga is None else [saga], given)
    found = [name for name in meant if await _exists(store, name)]
    if not found:
        raise UnknownSaga(f"there is no saga {given}")
    if len(found) > 1:
        raise SeveralSagas(given, found)
    return found[0]


def _meant(sagas: Collection[str], given: str) -> Iterator[SagaName]:
    for saga in sagas:
        yield SagaName(saga, given)
        if (id := given.removeprefix(f"{saga}-")) != given:
            yield SagaName(saga, id)


async def _exists(store: EventStore, name: SagaName) -> bool:
    async for _ in store.read(str(name), limit=1):
        return True
    return False

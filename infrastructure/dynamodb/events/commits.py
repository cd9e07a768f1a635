"""Group commit: appends that wait together are one transaction, each with its own answer.

The transaction puts the tiles of each append under the condition that their versions are free, and
one entry of the log under the condition that its position is. The loser of a race for the log takes
the next position; the loser of a version is answered by what stands there. An append whose outcome
is unknown is made again: it finds itself there, or is made now, and never twice.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from application.backoff import Backoff
from application.ports import NO_STREAM, Appended, StoreUnavailable, WrongExpectedVersion
from infrastructure.batching import Batcher, Report, Waiting, give, ignore
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.entries import Entry, reference, size_of
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.streams import Streams
from infrastructure.dynamodb.events.tiles import ITEM, ITEMS, TRANSACTION, Draft, Tile
from infrastructure.dynamodb.failures import CONDITION, cancelled, is_busy, unavailable
from infrastructure.dynamodb.tables import LOG, STREAMS
from infrastructure.dynamodb.values import Item

_Waiting = Waiting[Draft, Appended]

_PATIENCE: Final = 10.0  # seconds for an append, all attempts together
_PAUSE: Final = Backoff(0.01, most=0.5, at_least=0.0)  # jitter: rivals must not come together
_ENTRY: Final = ITEM - 50_000  # bytes of references in an entry
_SPACE: Final = TRANSACTION - ITEM  # bytes of tiles beside an entry in a transaction
_REMEMBER: Final = 10_000  # streams of which an end is known


@dataclass(frozen=True)
class _Transaction:
    """Appends as one commit, if the log ends at ``entry.first``."""

    entry: Entry
    tiles: Sequence[Tile]
    items: Sequence[tuple[str, Item]]  # with the names of their tables; the entry is the last
    of: Sequence[int]  # for each item of a tile: the number of its append
    answers: Sequence[Appended]


class GroupCommit:
    """Commits appends, one transaction at a time."""

    def __init__(
        self,
        database: Database,
        log: Log,
        streams: Streams,
        report: Report = ignore,
        *,
        patience: float = _PATIENCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``report`` is called with the number of appends in each transaction."""
        self._database, self._log, self._streams = database, log, streams
        self._patience, self._clock = patience, clock
        self._batches: Batcher[Draft, Appended] = Batcher(_next, self._serve, report, concurrent=1)
        self._ends: dict[str, int] = {}  # by stream: the last version at which a tile ended

    async def append(self, draft: Draft) -> Appended:
        """What ``EventStore.append`` promises."""
        if not await self._fits(draft) and (answer := await self._judged(draft)):
            return answer
        return await self._batches.answer(draft)

    def seen(self, stream: str, last: int) -> None:
        """A tile of the stream ends with that version."""
        if last > self._ends.get(stream, NO_STREAM):
            self._ends.pop(stream, None)
            self._ends[stream] = last
            if len(self._ends) > _REMEMBER:
                del self._ends[next(iter(self._ends))]

    async def _fits(self, draft: Draft) -> bool:
        """Whether a tile ends with the expected version, and none is known behind it.

        Tiles are never taken away. So if one ends there, the next can only begin at the version
        behind it, and the condition on that one key decides.
        """
        known = self._ends.get(draft.stream, NO_STREAM)
        if draft.expected <= known:
            return draft.expected == known
        tile = await self._streams.holding(draft.stream, draft.expected)
        if tile is None:
            return False
        self.seen(draft.stream, tile.end - 1)
        return tile.end - 1 == draft.expected

    async def _judged(self, draft: Draft) -> Appended | None:
        """The answer to an append for which there is no room: it was made before, or the version is
        wrong, and then raises :class:`WrongExpectedVersion`. ``None``: there is room, after all."""
        there = [event async for event in self._there(draft)]
        if [id for id, _ in there] == [event.id for event in draft.events]:
            return Appended(draft.last, there[-1][1])
        last = await self._streams.last_version(draft.stream)
        self.seen(draft.stream, last)
        if last == draft.expected:
            return None
        raise WrongExpectedVersion(draft.stream, draft.expected, last)

    async def _there(self, draft: Draft) -> Any:
        """Id and position of the events that stand where these should."""
        first = draft.expected + 1
        async for tile in self._streams.tiles(draft.stream, first):
            for version, event in enumerate(tile.events, tile.version):
                if version > draft.last:
                    return
                if version >= first:
                    yield event.id, tile.position + version - tile.version

    async def _serve(self, group: Sequence[_Waiting]) -> None:
        """Answer each append."""
        end = asyncio.get_running_loop().time() + self._patience
        left, attempt, why = list(group), 0, "too many rivals"
        while left:
            try:
                async with asyncio.timeout_at(end):
                    left, why = await self._attempt(left)
                    if left:
                        await _PAUSE(attempt)
            except TimeoutError:
                error = StoreUnavailable(
                    f"DynamoDB: the append was not confirmed within {self._patience:g} s ({why}); "
                    "whether it was made is unknown"
                )
                return _refuse(left, error)
            except Exception as error:  # whatever it is: the callers get it
                return _refuse(left, error)
            attempt += 1
        return None

    async def _attempt(self, group: Sequence[_Waiting]) -> tuple[list[_Waiting], str]:
        """Try once; those that have to be tried again, and why."""
        transaction = self._transaction([draft for draft, _ in group], await self._log.end())
        try:
            await self._send(transaction)
        except BotoCoreError as error:  # it may have been made, or may be made later
            await self._log.refresh()
            return list(group), str(error)
        except ClientError as error:
            return await self._after(error, transaction, group)
        self._made(transaction)
        for (_, waiting), answer in zip(group, transaction.answers, strict=True):
            give(waiting, answer)
        return [], ""

    async def _after(
        self, error: ClientError, transaction: _Transaction, group: Sequence[_Waiting]
    ) -> tuple[list[_Waiting], str]:
        """What is left to do after a transaction was refused, and why."""
        reasons = cancelled(error)
        if reasons is None and not is_busy(error):
            await self._apart(error, group)
            return [], ""
        codes = [reason.get("Code", "None") for reason in reasons or ()]
        if codes and codes[-1] == CONDITION:
            await self._log.refresh()
        blamed = {
            of: code
            for of, code in zip(transaction.of, codes, strict=False)
            if code in (CONDITION, "ValidationError")
        }
        left = [
            one
            for number, one in enumerate(group)
            if number not in blamed or not await self._settled(one, blamed[number], error)
        ]
        return left, str(error)

    async def _apart(self, error: ClientError, group: Sequence[_Waiting]) -> None:
        """Answer appends whose request was refused as a whole: one of them may be to blame."""
        unfit = self._unfit(group[0][0], error)
        if len(group) == 1 or isinstance(unfit, StoreUnavailable):
            _refuse(group, unfit)
        else:
            for one in group:
                await self._serve([one])

    async def _settled(self, one: _Waiting, code: str, error: ClientError) -> bool:
        """Answer an append that its transaction was refused for, unless it may be made, after
        all."""
        draft, waiting = one
        if code != CONDITION:
            give(waiting, self._unfit(draft, error))
            return True
        try:
            answer = await self._judged(draft)
        except WrongExpectedVersion as refusal:
            give(waiting, refusal)
            return True
        if answer:
            give(waiting, answer)
        return answer is not None

    def _unfit(self, draft: Draft, error: ClientError) -> Exception:
        """The error of an append that failed alone."""
        try:
            with unavailable():
                raise error
        except StoreUnavailable as unavailable_now:
            return unavailable_now
        except ClientError:
            return ValueError(f"DynamoDB cannot keep an event for {draft.stream}: {error}")

    async def _send(self, transaction: _Transaction) -> None:
        puts: Any = [
            {"Put": {"TableName": table, "Item": item, "ConditionExpression": _FREE}}
            for table, item in transaction.items
        ]
        for put in puts:
            put["Put"]["ExpressionAttributeNames"] = _KEY
        await self._database.client.transact_write_items(
            TransactItems=puts, ClientRequestToken=transaction.entry.commit
        )

    def _transaction(self, drafts: Sequence[Draft], first: int) -> _Transaction:
        at, position = self._clock(), first
        streams, log = self._database.table(STREAMS.name), self._database.table(LOG.name)
        tiles: list[Tile] = []
        items: list[tuple[str, Item]] = []
        of: list[int] = []
        answers = []
        for number, draft in enumerate(drafts):
            for item, tile in draft.placed(position, at):
                items.append((streams, item))
                of.append(number)
                if not tiles or tiles[-1] is not tile:
                    tiles.append(tile)
            position += draft.last - draft.expected
            answers.append(Appended(draft.last, position - 1))
        entry = Entry(first, position, at, str(uuid4()), [reference(tile) for tile in tiles])
        return _Transaction(entry, tiles, [*items, (log, entry.item())], of, answers)

    def _made(self, transaction: _Transaction) -> None:
        for tile in transaction.tiles:
            self.seen(tile.stream, tile.end - 1)
            self._streams.keep(tile)
        self._log.note([transaction.entry])


_FREE: Final = "attribute_not_exists(#key)"
_KEY: Final[Mapping[str, str]] = {"#key": "at"}


def _next(waiting: deque[_Waiting]) -> Sequence[_Waiting]:
    """The next group: the first appends that fit together, but only one of each stream."""
    group: dict[str, _Waiting] = {}
    later: list[_Waiting] = []
    items, size, entry = 1, 0, 0
    while waiting:
        draft, answer = one = waiting.popleft()
        if answer.cancelled():
            continue
        own = sum(size_of(draft.stream, [e.type for e in tile]) for tile in draft.tiles)
        full = items + draft.items > ITEMS or size + draft.size > _SPACE or entry + own > _ENTRY
        if draft.stream in group or (group and full):
            later.append(one)
            if full:
                break
            continue
        group[draft.stream] = one
        items, size, entry = items + draft.items, size + draft.size, entry + own
    waiting.extendleft(reversed(later))
    return list(group.values())


def _refuse(group: Sequence[_Waiting], error: Exception) -> None:
    for _, answer in group:
        give(answer, error)

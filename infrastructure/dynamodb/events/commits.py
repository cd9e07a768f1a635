"""Group commit: appends that wait together are one transaction, each with its own answer.

The transaction puts the tiles of each append under the condition that their versions are free, and
one entry of the log under the condition that its position is. The loser of a race for the log takes
the next position; the loser of a version is answered by what stands there. An append whose outcome
is unknown is made again: it finds itself there, or is made now, and never twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from application.backoff import Backoff
from application.pacing import MOMENT
from application.ports import Appended, StoreUnavailable, WrongExpectedVersion
from infrastructure.batching import Batcher, Report, Waiting, give, ignore
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.drafts import Draft
from infrastructure.dynamodb.events.ends import Ends
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.streams import Streams
from infrastructure.dynamodb.events.transaction import Transaction, next_group
from infrastructure.dynamodb.failures import CONDITION, cancelled, is_busy, unavailable

_Waiting = Waiting[Draft, Appended]

_PATIENCE: Final = 10.0  # seconds for an append, all attempts together
_PAUSE: Final = Backoff(0.01, most=0.5, at_least=0.0)  # jitter: rivals must not come together


class GroupCommit:
    """Commits appends, one transaction at a time."""

    def __init__(
        self,
        database: Database,
        log: Log,
        streams: Streams,
        report: Report = ignore,
        *,
        moment: float = MOMENT,
        patience: float = _PATIENCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``report`` is called with the number of appends in each transaction. ``moment``: seconds
        in which several appends wait for others."""
        self._database, self._log, self._streams = database, log, streams
        self._patience, self._clock = patience, clock
        self._ends = Ends(streams)
        self._batches: Batcher[Draft, Appended] = Batcher(
            next_group, self._serve, report, concurrent=1, moment=moment
        )

    async def append(self, draft: Draft) -> Appended:
        """What ``EventStore.append`` promises."""
        if not await self._ends.fits(draft) and (answer := await self._ends.judged(draft)):
            return answer
        return await self._batches.answer(draft)

    def seen(self, stream: str, last: int) -> None:
        """A tile of the stream ends with that version."""
        self._ends.seen(stream, last)

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
        drafts = [draft for draft, _ in group]
        transaction = Transaction.made_of(drafts, await self._log.end(), self._clock())
        try:
            await transaction.send(self._database)
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
        self, error: ClientError, transaction: Transaction, group: Sequence[_Waiting]
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
            answer = await self._ends.judged(draft)
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

    def _made(self, transaction: Transaction) -> None:
        for tile in transaction.tiles:
            self.seen(tile.stream, tile.end - 1)
            self._streams.keep(tile)
        self._log.note([transaction.entry])


def _refuse(group: Sequence[_Waiting], error: Exception) -> None:
    for _, answer in group:
        give(answer, error)

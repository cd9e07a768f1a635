"""An account with its transfers, and what became of them. Key: the account.

It shows the last ``ENTRIES`` of them, by id, so that it does not grow for ever, and counts all.

It takes events of two categories, in whatever order their streams come. What is known of a transfer
meets in one part, and waits there until the request says whose it is. A transfer is on the
statements of both of its accounts.
"""

from collections.abc import Collection, Sequence
from typing import Final, cast

from pydantic import BaseModel, ConfigDict

from application.category import split
from application.messages import RecordedEvent
from application.projections.projection import Change, Parts, Projection, View
from tests.sample.accounts import AccountEvent, Deposited, Held, Withdrawn
from tests.sample.aggregates import ACCOUNT, TRANSFER
from tests.sample.read_models.asked_transfer import AskedTransfer, evolve_asked
from tests.sample.values import AccountId, TransferId

ENTRIES: Final = 100
"""How many transfers of an account are shown."""


class Entry(BaseModel):
    """One transfer, as one of its accounts looks at it."""

    model_config = ConfigDict(frozen=True)

    transfer_id: TransferId
    amount: int  # negative for the account that pays
    cancelled: bool
    held: int  # at the account that pays
    withdrawn: bool


class Statement(View):
    account_id: AccountId
    transfers: int = 0
    entries: tuple[Entry, ...] = ()  # by transfer


class KnownOfTransfer(View):
    """What two kinds of streams have said of a transfer so far."""

    asked: AskedTransfer | None = None
    held: int = 0
    withdrawn: bool = False


def _keys(recorded: RecordedEvent) -> Collection[str]:
    if split(recorded.stream)[0] == TRANSFER.name:
        return (recorded.stream_id,)
    event = cast("AccountEvent", recorded.event)
    return () if isinstance(event, Deposited) else (event.transfer_id,)


def _evolve(known: KnownOfTransfer | None, recorded: RecordedEvent) -> KnownOfTransfer:
    known = known or KnownOfTransfer()
    match recorded.event:
        case Held(amount=amount):
            return known.model_copy(update={"held": amount})
        case Withdrawn():
            return known.model_copy(update={"held": 0, "withdrawn": True})
        case _ if split(recorded.stream)[0] == TRANSFER.name:
            return known.model_copy(update={"asked": evolve_asked(known.asked, recorded)})
        case _:  # released
            return known.model_copy(update={"held": 0})


def _views(known: KnownOfTransfer) -> Collection[str]:
    return {known.asked.source, known.asked.target} if known.asked else ()


def _gather(
    account: str, statement: Statement | None, changes: Sequence[Change[KnownOfTransfer]]
) -> Statement | None:
    known = statement or Statement(account_id=account)
    count, entries = known.transfers, {one.transfer_id: one for one in known.entries}
    for before, after in changes:
        if before and before.asked:
            count -= 1
        if after and after.asked:
            count += 1
            entries[after.asked.transfer_id] = _entry(account, after.asked, after)
    shown = tuple(entries[transfer] for transfer in sorted(entries)[-ENTRIES:])
    return Statement(account_id=account, transfers=count, entries=shown)


def _entry(account: str, asked: AskedTransfer, known: KnownOfTransfer) -> Entry:
    return Entry(
        transfer_id=asked.transfer_id,
        amount=asked.amount if account == asked.target else -asked.amount,
        cancelled=asked.cancelled,
        held=known.held,
        withdrawn=known.withdrawn,
    )


statements = Projection(
    name="statements",
    version=1,
    view=Statement,
    follows=(ACCOUNT, TRANSFER),
    parts=Parts(part=KnownOfTransfer, keys=_keys, evolve=_evolve, views=_views, gather=_gather),
    detail=("entries",),
)

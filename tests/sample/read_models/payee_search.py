"""Every account that was to be paid, found by its name and by the words of notes. Key: the account.

Ranked by what it was to receive: cancelled transfers do not count.
"""

from collections.abc import Collection, Sequence
from typing import Final

from application.projections.projection import Change, Parts, Projection, View
from tests.sample.aggregates import TRANSFER
from tests.sample.read_models.asked_transfer import AskedTransfer, evolve_asked, key
from tests.sample.values import AccountId

NOTES: Final = 8
"""How many notes of an account are kept: a view does not grow for ever."""


class Payee(View):
    account_id: AccountId
    notes: tuple[str, ...] = ()  # the latest first
    transfers: int = 0
    received: int = 0


def _views(asked: AskedTransfer) -> Collection[str]:
    return (asked.target,)


def _gather(
    account: str, payee: Payee | None, changes: Sequence[Change[AskedTransfer]]
) -> Payee | None:
    for before, after in changes:
        if before is not None and payee is not None:
            payee = _added(payee, before, -1)
        if after is not None:
            payee = _added(payee or Payee(account_id=account), after, +1)
            payee = payee if before or not after.note else _noted(payee, after.note)
    return payee


def _added(payee: Payee, asked: AskedTransfer, times: int) -> Payee:
    counted = 0 if asked.cancelled else times
    changed = {
        "transfers": payee.transfers + counted,
        "received": payee.received + counted * asked.amount,
    }
    return payee.model_copy(update=changed)


def _noted(payee: Payee, note: str) -> Payee:
    notes = tuple(dict.fromkeys((note, *payee.notes)))
    return payee.model_copy(update={"notes": notes[:NOTES]})


payee_search = Projection(
    name="payee_search",
    version=1,
    view=Payee,
    follows=(TRANSFER,),
    parts=Parts(part=AskedTransfer, keys=key, evolve=evolve_asked, views=_views, gather=_gather),
    searched=("account_id", "notes"),
    ranked="received",
    listed=False,  # it is found by its words
)

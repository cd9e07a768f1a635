"""What the bank has outside: an issuer of gift cards; and how its sagas call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from application.ports import Declined, ProviderRefused
from application.sagas.performing import CallPerformer, Record, answer_of
from tests.sample.gift_cards import GiftCards
from tests.sample.money_transfer import PayFee, ReturnFee


@dataclass(frozen=True)
class Outside:
    gift_cards: GiftCards


def outside_calls(outside: Outside) -> Sequence[CallPerformer[Any]]:
    """How each call is performed."""
    calls = _Calls(outside.gift_cards)
    return (CallPerformer(PayFee, calls.pay), CallPerformer(ReturnFee, calls.give_back))


def fee_key(transfer_id: str) -> str:
    """What the issuer knows this payment by."""
    return f"fee:{transfer_id}"


@dataclass(frozen=True)
class _Calls:
    cards: GiftCards

    async def pay(self, call: PayFee, _: Record) -> None:
        key = fee_key(call.transfer_id)
        redeeming = self.cards.redeem(key, call.card, call.fee)
        match await answer_of(redeeming, self.cards.find, key):
            case Declined(reason):
                raise ProviderRefused(reason)

    async def give_back(self, call: ReturnFee, _: Record) -> None:
        key = f"return:{call.transfer_id}"
        restoring = self.cards.restore(key, fee_key(call.transfer_id))
        await answer_of(restoring, self.cards.find, key)

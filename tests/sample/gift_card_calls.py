"""Calls to the issuer of gift cards: what a step can ask for, and how each is performed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from application.ports import Declined, ProviderRefused
from application.sagas.actions import OutsideCall
from application.sagas.performing import CallPerformer, Record, answer_of
from domain.values import Money
from tests.sample.accounts import Deposit
from tests.sample.gift_cards import GiftCards, Redeemed
from tests.sample.values import AccountId, Amount, DepositId


@dataclass(frozen=True)
class TopUp(OutsideCall):
    """Redeem a gift card, and deposit its worth. Declined is refused."""

    account_id: AccountId
    deposit_id: DepositId
    card: str
    cents: Amount


def gift_card_calls(gift_cards: GiftCards) -> Sequence[CallPerformer[Any]]:
    """The call above, performed by that issuer."""

    async def top_up(call: TopUp, record: Record) -> None:
        key, amount = f"top-up:{call.deposit_id}", Money.parse(f"{call.cents / 100:.2f} EUR")
        redeeming = gift_cards.redeem(key, call.card, amount)
        match await answer_of(redeeming, gift_cards.find, key):
            case Redeemed():
                deposit = Deposit(deposit_id=call.deposit_id, amount=call.cents)
                await record(call.account_id, deposit)
            case Declined(reason):
                raise ProviderRefused(reason)

    return (CallPerformer(TopUp, top_up),)

"""The provider of the bank: an issuer of gift cards, which pay fees, declared in one file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from application.ports import Declined, Done
from domain.values import Money
from infrastructure.providers import Call, Connection, Provider, done, granted
from infrastructure.providers.simulated import Answer, Entry, Refusal, SimulatedProvider, Subject


class Redeem(Call):
    card: str
    amount: Money


class Restore(Call):
    """Give back what was redeemed. One not heard of cannot be made any more after this."""

    redemption: str


@dataclass(frozen=True)
class Redeemed:
    """What the provider grants. ``number``: how many it has granted so far."""

    number: int
    amount: Money


@dataclass(frozen=True)
class Redemption:
    """What stands in its records."""

    key: str
    card: str
    amount: Money
    restored: bool = False


GIFT_CARDS: Final[Provider[Redeem | Restore, Redeemed, Redemption]] = Provider(
    name="gift-cards",
    calls={"redeem": Redeem, "restore": Restore},
    grants=(Redeemed,),
    record=Redemption,
)


class GiftCards:
    """The port, over any connection."""

    def __init__(self, connection: Connection[Redeem | Restore, Redeemed, Redemption]) -> None:
        self.connection = connection

    async def redeem(self, key: str, card: str, amount: Money) -> Redeemed | Declined:
        return await granted(self.connection, key, Redeem(card=card, amount=amount))

    async def restore(self, key: str, redemption: str) -> None:
        await done(self.connection, key, Restore(redemption=redemption))

    async def find(self, key: str) -> Redeemed | Declined | Done | None:
        return await self.connection.find(key)


class Redemptions:
    """The rules by which it is simulated."""

    def __init__(self) -> None:
        self._redemptions: dict[str, Redemption] = {}
        self._restored: set[str] = set()

    @property
    def records(self) -> Mapping[str, Redemption]:
        return self._redemptions

    def decide(self, key: str, call: Redeem | Restore, decline: str | None) -> Answer[Redeemed]:
        if isinstance(call, Restore):
            return Done()
        if call.amount.amount <= 0:
            return Refusal(f"{call.amount} cannot be redeemed")
        if key in self._restored:
            return Declined("it was restored before it came")
        if decline is not None:
            return Declined(decline)
        return Redeemed(len(self._redemptions) + 1, call.amount)

    def apply(self, entry: Entry[Redeem | Restore, Redeemed]) -> None:
        match entry.call, entry.answer:
            case Redeem(card=card, amount=amount), Redeemed():
                self._redemptions[entry.key] = Redemption(entry.key, card, amount)
            case Restore(redemption=name), Done():
                self._restore(name)

    def _restore(self, name: str) -> None:
        self._restored.add(name)
        if known := self._redemptions.get(name):
            self._redemptions[name] = replace(known, restored=True)

    def subject(self, call: Redeem | Restore) -> Subject:
        if isinstance(call, Redeem):
            return Subject({"card": call.card}, call.amount)
        known = self._redemptions.get(call.redemption)
        return Subject({"card": known.card} if known else {})


SIMULATED: Final[tuple[SimulatedProvider[Any, Any, Any], ...]] = (
    SimulatedProvider(GIFT_CARDS, Redemptions, about=("card",), declines="the card is empty"),
)

"""What is to go wrong at the providers, as told from outside: for a call, an order, at a rate."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.shop_values import OrderId
from domain.values import Money, Text

CallName = Literal["authorise", "capture", "void", "refund", "book", "cancel", "find"]

Kind = Literal["slow", "unavailable", "drop", "late", "twice", "decline"]
"""What goes wrong, in the order in which it can.

``slow``         waits, then acts
``unavailable``  says that it cannot act, and does not
``decline``      says no to an authorisation or a booking
``twice``        gets the call twice, and answers what it said the second time
``late``         acts, then waits before it answers
``drop``         acts, and never answers
"""


class Fault(BaseModel):
    """One thing that goes wrong with every call that all of its conditions fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    call: CallName | None = None
    order_id: OrderId | None = None
    above: Money | None = None
    """Only calls about more than that, in that currency."""
    rate: Annotated[float, Field(gt=0, le=1)] = 1
    """The share of calls that it strikes."""
    times: Annotated[int, Field(ge=0)] | None = None
    """How many calls it still strikes; ``None``: no end."""
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1
    """How long ``slow`` and ``late`` wait."""
    reason: Text = "declined by the bank"


@dataclass(frozen=True)
class Subject:
    """What a call is about, as far as the provider knows."""

    call: CallName
    key: str
    order_id: OrderId | None = None
    amount: Money | None = None


@dataclass(frozen=True)
class Trouble:
    """All that goes wrong with one call."""

    slow: float = 0
    unavailable: bool = False
    decline: str | None = None
    twice: bool = False
    late: float = 0
    drop: bool = False


class Faults:
    """The faults that are in force. Chance is a matter of the key and of how often it was used.

    So the same calls have the same troubles, in whatever order they come.
    """

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self._faults, self._seed = list(faults), seed
        self._calls: Counter[tuple[CallName, str]] = Counter()
        self.struck: Counter[Kind] = Counter()  # calls, since the start of the process

    @property
    def seed(self) -> int:
        return self._seed

    @property
    def in_force(self) -> list[Fault]:
        """Those that can still strike."""
        return [fault for fault in self._faults if fault.times != 0]

    def tell(self, faults: Iterable[Fault], *, seed: int = 0) -> None:
        """These from now on, instead of all others."""
        self._faults, self._seed = list(faults), seed

    def strike(self, subject: Subject) -> Trouble:
        """What goes wrong with this call; what strikes a number of times has one less left."""
        if not self._faults:
            return Trouble()
        self._calls[subject.call, subject.key] += 1
        struck = [number for number in range(len(self._faults)) if self._strikes(number, subject)]
        return _together([self._used(number) for number in struck])

    def _strikes(self, number: int, subject: Subject) -> bool:
        fault = self._faults[number]
        attempt = self._calls[subject.call, subject.key]
        chance = Random(f"{self._seed} {number} {subject.call} {subject.key} {attempt}")
        return fault.times != 0 and _fits(fault, subject) and chance.random() < fault.rate

    def _used(self, number: int) -> Fault:
        fault = self._faults[number]
        self.struck[fault.kind] += 1
        if fault.times is not None:
            self._faults[number] = fault.model_copy(update={"times": fault.times - 1})
        return fault


def _fits(fault: Fault, subject: Subject) -> bool:
    return (
        fault.call in (None, subject.call)
        and fault.order_id in (None, subject.order_id)
        and (fault.above is None or _is_above(fault.above, subject.amount))
    )


def _is_above(limit: Money, amount: Money | None) -> bool:
    return amount is not None and amount.currency == limit.currency and limit < amount


def _together(faults: list[Fault]) -> Trouble:
    kinds = {fault.kind: fault for fault in faults}
    return Trouble(
        slow=sum(fault.seconds for fault in faults if fault.kind == "slow"),
        unavailable="unavailable" in kinds,
        decline=kinds["decline"].reason if "decline" in kinds else None,
        twice="twice" in kinds,
        late=sum(fault.seconds for fault in faults if fault.kind == "late"),
        drop="drop" in kinds,
    )

"""What is to go wrong at the providers: for a call, for what it is about, at a rate."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.values import Money, Text
from infrastructure.providers.simulated.rules import Subject

Kind = Literal["slow", "unavailable", "drop", "late", "twice", "decline"]
"""What goes wrong, in the order in which it can.

``slow``         waits, then acts
``unavailable``  says that it cannot act, and does not
``decline``      declines what it could grant
``twice``        gets the call twice, and answers what it said the second time
``late``         acts, then waits before it answers
``drop``         acts, and never answers
"""


class Fault(BaseModel):
    """One thing that goes wrong with every call that all of its conditions fit.

    A field that is not listed here is a condition on what the call is about: ``order_id="o-1"``
    fits the calls whose subject has that ``order_id``. Providers declare which fields there are.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Kind
    provider: Text | None = None
    call: Text | None = None
    """The name of a call; ``find`` is looking for one."""
    above: Money | None = None
    """Only calls about more than that, in that currency."""
    rate: Annotated[float, Field(gt=0, le=1)] = 1
    """The share of calls that it strikes."""
    times: Annotated[int, Field(ge=0)] | None = None
    """How many calls it still strikes; ``None``: no end."""
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1
    """How long ``slow`` and ``late`` wait."""
    reason: Text | None = None
    """Why a call is declined; ``None``: for the reason that its provider gives."""

    @property
    def about(self) -> Mapping[str, Any]:
        """The conditions on what the call is about."""
        fields = self.model_extra or {}
        return {name: value for name, value in fields.items() if value is not None}


class FaultPlan(BaseModel):
    """The faults in force, and the seed that decides which calls they strike by chance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    faults: Annotated[tuple[Fault, ...], Field(max_length=1000)] = ()
    seed: int = 0


@dataclass(frozen=True)
class Trouble:
    """All that goes wrong with one call."""

    slow: float = 0
    unavailable: bool = False
    decline: bool = False
    reason: str | None = None
    twice: bool = False
    late: float = 0
    drop: bool = False


class Faults:
    """The faults in force. Chance depends on the call, its key, and how often that was used.

    So the same calls have the same troubles, in whatever order they come.
    """

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self._faults, self._seed = list(faults), seed
        self._calls: Counter[tuple[str, str, str]] = Counter()
        self.struck: Counter[Kind] = Counter()  # calls, since the start of the process

    @property
    def plan(self) -> FaultPlan:
        """Those that can still strike."""
        left = tuple(fault for fault in self._faults if fault.times != 0)
        return FaultPlan(faults=left, seed=self._seed)

    def set(self, faults: Iterable[Fault], *, seed: int = 0) -> None:
        """These from now on, instead of all others."""
        self._faults, self._seed = list(faults), seed

    def strike(self, provider: str, call: str, key: str, subject: Subject) -> Trouble:
        """What goes wrong with this call; what strikes a number of times has one less left."""
        if not self._faults:
            return Trouble()
        self._calls[provider, call, key] += 1
        attempt = self._calls[provider, call, key]
        struck = [
            number
            for number, fault in enumerate(self._faults)
            if fault.times != 0
            and _fits(fault, provider, call, subject)
            and Random(f"{self._seed} {number} {call} {key} {attempt}").random() < fault.rate
        ]
        return _together([self._used(number) for number in struck])

    def _used(self, number: int) -> Fault:
        fault = self._faults[number]
        self.struck[fault.kind] += 1
        if fault.times is not None:
            self._faults[number] = fault.model_copy(update={"times": fault.times - 1})
        return fault


def _fits(fault: Fault, provider: str, call: str, subject: Subject) -> bool:
    return (
        fault.provider in (None, provider)
        and fault.call in (None, call)
        and all(subject.fields.get(name) == value for name, value in fault.about.items())
        and (fault.above is None or _is_above(fault.above, subject.amount))
    )


def _is_above(limit: Money, amount: Money | None) -> bool:
    return amount is not None and amount.currency == limit.currency and limit < amount


def _together(faults: list[Fault]) -> Trouble:
    kinds = {fault.kind: fault for fault in faults}
    return Trouble(
        slow=sum(fault.seconds for fault in faults if fault.kind == "slow"),
        unavailable="unavailable" in kinds,
        decline="decline" in kinds,
        reason=kinds["decline"].reason if "decline" in kinds else None,
        twice="twice" in kinds,
        late=sum(fault.seconds for fault in faults if fault.kind == "late"),
        drop="drop" in kinds,
    )

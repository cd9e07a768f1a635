"""What a simulated provider declares besides its calls: the rules by which it answers them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeAlias

from application.ports import Declined, Done
from domain.values import Money
from infrastructure.providers.provider import C, G, Provider, R, R_co


@dataclass(frozen=True)
class Refusal:
    """The call makes no sense to the provider."""

    reason: str


Answer: TypeAlias = G | Declined | Done | Refusal


@dataclass(frozen=True)
class Entry(Generic[C, G]):
    """One call, and the answer that it has for good."""

    key: str
    call: C
    answer: Answer[G]


@dataclass(frozen=True)
class Subject:
    """What a call is about, as far as the provider knows. Faults can look for both."""

    fields: Mapping[str, str] = field(default_factory=dict)
    amount: Money | None = None


class Rules(Protocol[C, G, R_co]):
    """How one provider answers, given what it has done so far."""

    @property
    def records(self) -> Mapping[str, R_co]:
        """All that was ever granted, by the key of its call, in order."""
        ...

    def decide(self, key: str, call: C, decline: str | None, /) -> Answer[G]:
        """The answer to a call with a new key; ``decline``: the reason to decline it, if it can."""
        ...

    def apply(self, entry: Entry[C, G], /) -> None:
        """Let an answer have its effect on the records."""
        ...

    def subject(self, call: C, /) -> Subject:
        """What the call is about."""
        ...


@dataclass(frozen=True)
class SimulatedProvider(Generic[C, G, R]):
    """A provider that can be simulated, in memory and in a process of its own."""

    provider: Provider[C, G, R]
    rules: Callable[[], Rules[C, G, R]]
    """Makes the rules of a provider that has done nothing yet."""
    about: tuple[str, ...] = ()
    """The fields that a subject can have."""
    declines: str = "declined"
    """The reason of a decline that gives none."""

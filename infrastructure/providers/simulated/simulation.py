"""Any number of simulated providers over one journal, and the faults that strike them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from infrastructure.providers.provider import FIND
from infrastructure.providers.simulated.connection import SimulatedConnection
from infrastructure.providers.simulated.declared import require_distinct
from infrastructure.providers.simulated.faults import Fault, FaultPlan, Faults
from infrastructure.providers.simulated.journal import Journal
from infrastructure.providers.simulated.ledger import Ledger
from infrastructure.providers.simulated.rules import SimulatedProvider


class UnknownFault(ValueError):
    """A fault that could never strike: the text says what is not known, and what is."""


class Simulation:
    """Simulated providers that go on where the journal ends."""

    def __init__(self, providers: Sequence[SimulatedProvider[Any, Any, Any]], journal: Journal):
        """Raises ``InvalidDeclaration`` for names that mean two things.

        Raises ``JournalUnavailable`` for a call in it that its provider does not declare.
        """
        require_distinct(providers)
        self.providers, self._journal = providers, journal
        self._kept = FaultPlan.model_validate_json(journal.faults or "{}")
        self._faults = Faults(self._kept.faults, seed=self._kept.seed)
        self._connections = {one.provider.name: self._connection(one) for one in providers}

    def connection(self, provider: str) -> SimulatedConnection[Any, Any, Any]:
        """The connection to the provider of that name."""
        return self._connections[provider]

    @property
    def plan(self) -> FaultPlan:
        """The faults that can still strike."""
        return self._faults.plan

    @property
    def struck(self) -> Mapping[str, int]:
        """How many calls each kind of fault has struck since the start of the process."""
        return {str(kind): number for kind, number in self._faults.struck.items()}

    def set_faults(self, plan: FaultPlan) -> None:
        """These faults from now on, instead of all others. Raises :class:`UnknownFault`."""
        for fault in plan.faults:
            _require_known(fault, self.providers)
        self._faults.set(plan.faults, seed=plan.seed)
        self.remember_faults()

    def remember_faults(self) -> None:
        """Keep what is left of the faults, if some have been used up."""
        if (left := self.plan) != self._kept:
            self._kept = left
            self._journal.keep_faults(left.model_dump_json())

    def _connection(
        self, simulated: SimulatedProvider[Any, Any, Any]
    ) -> SimulatedConnection[Any, Any, Any]:
        provider, journal = simulated.provider, self._journal
        kept, keep = journal.entries(provider), partial(journal.keep, provider)
        ledger = Ledger(simulated.rules(), kept, keep)
        return SimulatedConnection(simulated, self._faults, ledger=ledger)


def _require_known(fault: Fault, providers: Sequence[SimulatedProvider[Any, Any, Any]]) -> None:
    """A misspelt fault must not pass for health."""
    names = [one.provider.name for one in providers]
    if fault.provider not in (None, *names):
        raise UnknownFault(f"there is no provider {fault.provider!r}: {_listed(names)}")
    meant = [one for one in providers if fault.provider in (None, one.provider.name)]
    calls = {FIND, *(name for one in meant for name in one.provider.calls)}
    if fault.call not in (None, *calls):
        raise UnknownFault(f"there is no call {fault.call!r}: {_listed(calls)}")
    fields = {field for one in meant for field in one.about}
    for field, value in fault.about.items():
        if field not in fields:
            known = {*Fault.model_fields, *fields}
            raise UnknownFault(f"{field!r} is not a field of a fault: {_listed(known)}")
        if not isinstance(value, str):
            raise UnknownFault(f"{field} of a fault is text, not {value!r}")


def _listed(names: Iterable[str]) -> str:
    return f"there are {', '.join(sorted(names))}"

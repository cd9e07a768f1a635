"""Both providers over one journal: their books, and the faults that strike them."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from infrastructure.providers.simulated.faults import Fault, Faults
from infrastructure.providers.simulated.journal import Journal
from infrastructure.providers.simulated.ledger import Call, Entry, Ledger
from infrastructure.providers.simulated.line import Line
from infrastructure.shop.memory.bookings import Book, Bookings, Cancel, CarrierCall
from infrastructure.shop.memory.payments import (
    Authorise,
    Capture,
    PaymentCall,
    Payments,
    Refund,
    Void,
)

PAYMENT_CALLS: Final[Mapping[str, type[PaymentCall]]] = {
    "authorise": Authorise,
    "capture": Capture,
    "void": Void,
    "refund": Refund,
}
CARRIER_CALLS: Final[Mapping[str, type[CarrierCall]]] = {"book": Book, "cancel": Cancel}
_NAMES: Final[Mapping[type[Call], str]] = {
    call: name for name, call in [*PAYMENT_CALLS.items(), *CARRIER_CALLS.items()]
}


class FaultsTold(BaseModel):
    """The faults that are in force, and what decides whom they strike by chance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    faults: Annotated[tuple[Fault, ...], Field(max_length=1000)] = ()
    seed: int = 0


class Simulation:
    """A payment provider and a carrier that go on where the journal ends."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kept = FaultsTold.model_validate_json(journal.faults or "{}")
        self._faults = Faults(self._kept.faults, seed=self._kept.seed)
        self.payments, self.bookings = Payments(), Bookings()
        kept_payments = journal.entries("payments", PAYMENT_CALLS)
        kept_bookings = journal.entries("parcels", CARRIER_CALLS)
        payments = Ledger(self.payments, kept_payments, partial(self._keep, "payments"))
        bookings = Ledger(self.bookings, kept_bookings, partial(self._keep, "parcels"))
        self.payment_provider = Line(payments, self._faults)
        self.carrier = Line(bookings, self._faults)

    @property
    def faults(self) -> FaultsTold:
        """Those that can still strike."""
        return FaultsTold(faults=tuple(self._faults.in_force), seed=self._faults.seed)

    @property
    def struck(self) -> Mapping[str, int]:
        """How many calls each kind of fault has struck since the start of the process."""
        return {str(kind): number for kind, number in self._faults.struck.items()}

    def tell(self, told: FaultsTold) -> None:
        """These faults from now on, instead of all others."""
        self._faults.tell(told.faults, seed=told.seed)
        self.remember_faults()

    def remember_faults(self) -> None:
        """Keep what is left of the faults, if some have been used up."""
        if (left := self.faults) != self._kept:
            self._kept = left
            self._journal.keep_faults(left.model_dump_json())

    def _keep(self, provider: str, entry: Entry[Any, Any]) -> None:
        self._journal.keep(provider, _NAMES[type(entry.call)], entry)

"""A copy of a book: who has it. Stream: ``loan-<copy>``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from domain.decider import Command, Decider, DomainError, Event
from domain.values import Id

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class Lent(Event):
    reader: Id


class Returned(Event):
    pass


LoanEvent = Lent | Returned

# ── state ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Loan:
    reader: Id | None = None  # none: it is on the shelf


def evolve(_: Loan, event: LoanEvent) -> Loan:
    match event:
        case Lent(reader=reader):
            return Loan(reader)
        case Returned():
            return Loan()
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class Lend(Command):
    reader: Id


class Return(Command):
    pass


LoanCommand = Lend | Return


class OnLoan(DomainError):
    """Another reader has the copy."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: LoanCommand, loan: Loan) -> Sequence[LoanEvent]:
    match command:
        case Lend(reader=reader):
            if loan.reader not in (None, reader):
                raise OnLoan(f"{loan.reader} has it: lend it when it is back")
            return [] if loan.reader else [Lent(reader=reader)]
        case Return():
            return [Returned()] if loan.reader else []
        case _:
            assert_never(command)


decider: Decider[LoanCommand, Loan, LoanEvent] = Decider(Loan(), evolve, decide)

"""An account: what is on it, and what is held for transfers. Stream: ``account-<id>``.

deposited → balance
              ↑↓
             held → withdrawn          per transfer; released: free again
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from immutables import Map

from domain.decider import Command, Decider, DomainError, Event, replace
from domain.values import Remembered
from tests.sample.values import Amount, DepositId, TransferId

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class Deposited(Event):
    deposit_id: DepositId
    amount: Amount


class Held(Event):
    transfer_id: TransferId
    amount: Amount


class Released(Event):
    transfer_id: TransferId
    amount: Amount


class Withdrawn(Event):
    transfer_id: TransferId
    amount: Amount


AccountEvent = Deposited | Held | Released | Withdrawn

# ── state ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Account:
    balance: int = 0
    held: Remembered[TransferId, int] = field(default_factory=Map)
    # What follows is remembered only to recognise a repeated command.
    withdrawn: Remembered[TransferId, int] = field(default_factory=Map)
    deposits: Remembered[DepositId, int] = field(default_factory=Map)

    @property
    def free(self) -> int:
        """What can still be held."""
        return self.balance - sum(self.held.values())


def evolve(account: Account, event: AccountEvent) -> Account:
    match event:
        case Deposited(deposit_id=id, amount=amount):
            deposits = account.deposits.set(id, amount)
            return replace(account, balance=account.balance + amount, deposits=deposits)
        case Held(transfer_id=id, amount=amount):
            return replace(account, held=account.held.set(id, amount))
        case Released(transfer_id=id):
            return replace(account, held=_without(id, account.held))
        case Withdrawn(transfer_id=id, amount=amount):
            return replace(
                account,
                balance=account.balance - amount,
                held=_without(id, account.held),
                withdrawn=account.withdrawn.set(id, amount),
            )
        case _:
            assert_never(event)


def _without(id: TransferId, held: Map[TransferId, int]) -> Map[TransferId, int]:
    return held.delete(id) if id in held else held


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class Deposit(Command):
    deposit_id: DepositId
    amount: Amount


class Hold(Command):
    """Set an amount aside for a transfer."""

    transfer_id: TransferId
    amount: Amount


class Release(Command):
    """Set nothing aside for that transfer. Safe to send in doubt."""

    transfer_id: TransferId


class Withdraw(Command):
    """Take what is held for a transfer."""

    transfer_id: TransferId


AccountCommand = Deposit | Hold | Release | Withdraw


class InsufficientFunds(DomainError):
    """Less is free than the transfer needs."""


class DepositedOtherwise(DomainError):
    """Another amount has been deposited under this id."""


class HeldOtherwise(DomainError):
    """Another amount is held for the transfer."""


class NotHeld(DomainError):
    """Nothing is held for the transfer."""


class AlreadyWithdrawn(DomainError):
    """The transfer has had its amount."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: AccountCommand, account: Account) -> Sequence[AccountEvent]:
    match command:
        case Deposit():
            return _deposit(command, account)
        case Hold():
            return _hold(command, account)
        case Release(transfer_id=id):
            return _release(id, account)
        case Withdraw(transfer_id=id):
            return _withdraw(id, account)
        case _:
            assert_never(command)


def _deposit(command: Deposit, account: Account) -> Sequence[AccountEvent]:
    known = account.deposits.get(command.deposit_id)
    if known == command.amount:
        return []
    if known is not None:
        raise DepositedOtherwise(f"{known} has been deposited as {command.deposit_id}")
    return [Deposited(**dict(command))]


def _hold(command: Hold, account: Account) -> Sequence[AccountEvent]:
    id, amount = command.transfer_id, command.amount
    if amount in (account.held.get(id), account.withdrawn.get(id)):
        return []
    _require_not_withdrawn(id, account)
    if id in account.held:
        raise HeldOtherwise(f"{account.held[id]} is held for {id}")
    if amount > account.free:
        raise InsufficientFunds(f"{amount} is needed, {account.free} is free")
    return [Held(transfer_id=id, amount=amount)]


def _release(id: TransferId, account: Account) -> Sequence[AccountEvent]:
    _require_not_withdrawn(id, account)
    if id not in account.held:
        return []
    return [Released(transfer_id=id, amount=account.held[id])]


def _withdraw(id: TransferId, account: Account) -> Sequence[AccountEvent]:
    if id in account.withdrawn:
        return []
    if id not in account.held:
        raise NotHeld(f"nothing is held for {id}: hold before withdrawing")
    return [Withdrawn(transfer_id=id, amount=account.held[id])]


def _require_not_withdrawn(id: TransferId, account: Account) -> None:
    if id in account.withdrawn:
        raise AlreadyWithdrawn(f"{account.withdrawn[id]} has been withdrawn for {id}")


decider: Decider[AccountCommand, Account, AccountEvent] = Decider(Account(), evolve, decide)

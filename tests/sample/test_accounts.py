"""The rules of an account, one sentence each."""

import pytest

from tests.sample.accounts import (
    AlreadyWithdrawn,
    Deposit,
    Deposited,
    DepositedOtherwise,
    Held,
    HeldOtherwise,
    Hold,
    InsufficientFunds,
    NotHeld,
    Release,
    Released,
    Withdraw,
    Withdrawn,
    decider,
)
from tests.specification import Specification

account = Specification(decider)

DEPOSITED = Deposited(deposit_id="d-1", amount=5)
HELD = Held(transfer_id="t-1", amount=3)
WITHDRAWN = Withdrawn(transfer_id="t-1", amount=3)


def test_a_deposit_is_on_the_account() -> None:
    """What was deposited can be held."""
    account.given().when(Deposit(deposit_id="d-1", amount=5)).then(DEPOSITED)
    account.given(DEPOSITED).when(Hold(transfer_id="t-1", amount=5)).then(
        Held(transfer_id="t-1", amount=5)
    )


def test_a_deposit_has_one_amount() -> None:
    """Its id stands for that amount only."""
    account.given(DEPOSITED).when(Deposit(deposit_id="d-1", amount=5)).then_nothing()
    account.given(DEPOSITED).when(Deposit(deposit_id="d-1", amount=6)).then_refused(
        DepositedOtherwise
    )


def test_no_more_is_held_than_is_free() -> None:
    """What is held for one transfer is not there for another."""
    account.given(DEPOSITED, HELD).when(Hold(transfer_id="t-2", amount=3)).then_refused(
        InsufficientFunds
    )


def test_a_transfer_holds_one_amount() -> None:
    """Another amount for the same transfer is refused."""
    account.given(DEPOSITED, HELD).when(Hold(transfer_id="t-1", amount=2)).then_refused(
        HeldOtherwise
    )


def test_what_is_released_is_free() -> None:
    """It can be held again; nothing to release is no error."""
    released = Released(transfer_id="t-1", amount=3)
    account.given(DEPOSITED, HELD).when(Release(transfer_id="t-1")).then(released)
    account.given(DEPOSITED).when(Release(transfer_id="t-1")).then_nothing()


def test_what_is_held_is_withdrawn() -> None:
    """What is not held cannot be."""
    account.given(DEPOSITED, HELD).when(Withdraw(transfer_id="t-1")).then(WITHDRAWN)
    account.given(DEPOSITED).when(Withdraw(transfer_id="t-1")).then_refused(NotHeld)


@pytest.mark.parametrize("command", [Release(transfer_id="t-1"), Hold(transfer_id="t-1", amount=1)])
def test_what_is_withdrawn_is_gone(command: Release | Hold) -> None:
    """It is neither released nor held again."""
    account.given(DEPOSITED, HELD, WITHDRAWN).when(command).then_refused(AlreadyWithdrawn)

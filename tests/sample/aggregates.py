"""The aggregates of the bank."""

from typing import Final

from application.category import Category
from tests.sample import accounts, transfers
from tests.sample.accounts import AccountCommand, AccountEvent
from tests.sample.transfers import TransferCommand, TransferEvent

# fmt: off
ACCOUNT: Final  = Category.of("account",  accounts.decider,  AccountCommand,  AccountEvent)
TRANSFER: Final = Category.of("transfer", transfers.decider, TransferCommand, TransferEvent)
# fmt: on

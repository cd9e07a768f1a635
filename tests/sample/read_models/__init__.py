"""The read models of the bank, one of each kind."""

from tests.sample.read_models.balances import balances
from tests.sample.read_models.daily_transfers import daily_transfers
from tests.sample.read_models.payee_search import payee_search
from tests.sample.read_models.statements import statements
from tests.sample.read_models.transfer_summary import transfer_summary

__all__ = ["balances", "daily_transfers", "payee_search", "statements", "transfer_summary"]

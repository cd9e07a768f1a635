"""The words of the bank."""

from typing import Annotated

from pydantic import Field, StringConstraints

from domain.values import Id

AccountId = Id
DepositId = Id
TransferId = Id
ReminderId = Id

Amount = Annotated[int, Field(gt=0, le=1_000_000_000, strict=True)]
"""A sum in the smallest unit of the bank's one currency."""

Note = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=100_000)]
"""A text that may be far too large for an event store."""

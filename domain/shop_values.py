"""The values of the shop: ids, SKUs and counts."""

from typing import Annotated

from pydantic import Field, StringConstraints

from domain.values import Id

OrderId = Id
CustomerId = Id
PaymentId = Id
ShipmentId = Id
RefundId = Id
ReturnId = Id
ExchangeId = Id
ReceiptId = Id
WriteOffId = Id
AdjustmentId = Id

Sku = Annotated[
    str, StringConstraints(pattern=r"^[^\s/$\x00]([^\n\x00]*[^\s\x00])?$", max_length=64)
]
"""A stock code. Case matters, and it may hold spaces (``BANK CHARGES``)."""

Quantity = Annotated[int, Field(gt=0, le=1_000_000_000, strict=True)]
"""A count of units, at least one."""

Difference = Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000, strict=True)]
"""A count of units that may be negative or zero."""

LineNumber = Annotated[int, Field(gt=0, strict=True)]
"""The position of a line in its order, from 1: several lines may have the same SKU."""

"""Finds the purchase that a return belongs to: a cancellation does not name it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple


class PurchaseLine(NamedTuple):
    """Where a purchase stands: a line, counted from 1, of an order."""

    order: str
    line: int


@dataclass(slots=True)
class _Bought:
    place: PurchaseLine
    left: int  # not yet returned


class Purchases:
    """What was bought so far and may still come back.

    Only purchases of ``returned`` pairs of customer and code are kept: of a whole history a few
    per cent ever come back, and memory stays flat.
    """

    def __init__(self, returned: Collection[tuple[str, str]]) -> None:
        self._returned = returned
        self._bought: defaultdict[tuple[str, str], list[_Bought]] = defaultdict(list)

    def remember(self, customer: str, order: str, lines: Iterable[tuple[str, int]]) -> None:
        """The lines of the customer's next order, each a code and a quantity."""
        for number, (code, quantity) in enumerate(lines, start=1):
            if (customer, code) in self._returned:
                self._bought[customer, code].append(_Bought(PurchaseLine(order, number), quantity))

    def take_back(self, customer: str, code: str, quantity: int) -> PurchaseLine | None:
        """The customer's latest order with a line of that code and enough units not yet returned.

        Of several such lines in that order, the last. The units count as returned from now on.
        """
        for bought in reversed(self._bought.get((customer, code), ())):
            if bought.left >= quantity:
                bought.left -= quantity
                return bought.place
        return None

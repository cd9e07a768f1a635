"""Decimal numbers as texts whose order is that of the numbers.

The numbers of OpenSearch are floats or 64-bit integers, and a rank may be neither.
"""

from decimal import Decimal
from typing import Final

_MIDDLE: Final = 10**18  # of the exponents; no decimal has one beyond
_WIDTH: Final = 19
_NEGATIVE: Final = str.maketrans("0123456789", "9876543210")


def text_of(number: Decimal | int) -> str:
    """``2.5`` → ``2`` (positive), its exponent, its digits. Equal numbers have equal texts.

    ``ValueError`` for infinity and what is not a number.
    """
    decimal = Decimal(number)
    if not decimal.is_finite():
        raise ValueError(f"{number} cannot be a rank: it is not a finite number")
    if not decimal:
        return "1"
    digits = "".join(map(str, decimal.as_tuple().digits)).lstrip("0").rstrip("0")
    size = f"{decimal.adjusted() + _MIDDLE:0{_WIDTH}}{digits}"
    if decimal > 0:
        return f"2{size}"
    return f"0{size.translate(_NEGATIVE)}~"  # behind all digits: -1 is above -1.1

"""What the customers of the benchmark order: 2 or 3 lines of a few hundred SKUs."""

import json
import random
from typing import Final

SKUS: Final = 300
CUSTOMERS: Final = 1_000
POPULAR: Final = "popular"
_COUNTRIES: Final = ("United Kingdom", "France", "Germany", "EIRE", "Spain")


def all_skus() -> list[str]:
    """Everything that is ordered, and has to be in stock before."""
    return [POPULAR, *(f"s{number:03}" for number in range(SKUS))]


def order(chance: random.Random, *, popular: bool) -> str:
    """The body of one request; ``popular``: with one SKU that every order has."""
    skus = chance.sample(range(SKUS), chance.choice((2, 3)))
    names = [f"s{number:03}" for number in skus]
    if popular:
        names[0] = POPULAR
    guest = chance.random() < 0.1
    return json.dumps(
        {
            "customer_id": None if guest else str(10_000 + chance.randrange(CUSTOMERS)),
            "country": chance.choice(_COUNTRIES),
            "lines": [_line(sku, chance.randint(1, 12)) for sku in names],
        }
    )


def _line(sku: str, quantity: int) -> dict[str, object]:
    return {
        "sku": sku,
        "description": f"WHITE HANGING HEART {sku}",
        "quantity": quantity,
        "unit_price": "2.55 GBP",
    }

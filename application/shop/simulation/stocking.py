"""The opening stock: enough for all orders but a few. Pure.

Which orders fail must not depend on their sequence. So an order is only left short of a SKU of
which it needs more than all others together. The stock is what the others need: they always get it,
and this order never does.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from random import Random

from application.shop.simulation.traffic import Back, Place, Request


@dataclass(frozen=True)
class Stocking:
    """Units of each SKU, and the orders that will find too few."""

    units: Mapping[str, int]
    short: Set[str]
    scarce: Set[str] = frozenset()  # SKUs of which these orders want too many


def opening_stock(requests: Iterable[Request], shortage: float, seed: int) -> Stocking:
    """Stock for these orders, of which that share is left short: fewer, where too few could be.

    And stock for all exchanges but those of scarce goods, so that they take none of an order.
    """
    exchanged = Counter[str]()
    wanted = Counter[str]()
    most: dict[str, tuple[int, str]] = {}
    orders = 0
    for place in requests:
        if isinstance(place, Back):
            for of in place.exchange.replacements if place.exchange else ():
                exchanged[of.sku] += of.quantity
            continue
        orders += 1
        for sku, units in units_of(place).items():
            wanted[sku] += units
            most[sku] = max(most.get(sku, (0, "")), (units, place.order_id))
    chosen = _chosen(wanted, most, round(orders * shortage), seed)
    shelf = {sku: total - (most[sku][0] if sku in chosen else 0) for sku, total in wanted.items()}
    for sku in exchanged.keys() - chosen.keys():
        shelf[sku] += exchanged[sku]
    return Stocking(shelf, frozenset(chosen.values()), frozenset(chosen))


def units_of(place: Place) -> Counter[str]:
    """The units of each SKU that an order needs, over all its lines."""
    units = Counter[str]()
    for line in place.command.lines:
        units[line.sku] += line.quantity
    return units


def _chosen(
    wanted: Mapping[str, int], most: Mapping[str, tuple[int, str]], number: int, seed: int
) -> Mapping[str, str]:
    """The orders to leave short, each by the SKU of which there is too little."""
    could_be = defaultdict[str, list[str]](list)
    for sku, (units, order_id) in most.items():
        if 2 * units > wanted[sku]:
            could_be[order_id].append(sku)
    chance = Random(seed)
    short = chance.sample(sorted(could_be), min(number, len(could_be)))
    return {chance.choice(sorted(could_be[order_id])): order_id for order_id in short}

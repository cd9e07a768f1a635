"""What is on the shelf before the first order: enough for all but a few. Pure.

Which order finds none must not depend on who comes first. So an order is only left short of a SKU
of which it wants more than all others together: on the shelf is what the others want. They always
get it, and it never does, in whatever order they come.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from random import Random

from application.shop.simulation.traffic import Back, Place, Wish


@dataclass(frozen=True)
class Stocking:
    """Units of each SKU, and the orders that will find too few."""

    units: Mapping[str, int]
    short: Set[str]
    scarce: Set[str] = frozenset()  # SKUs of which these orders want too many


def opening_stock(wishes: Iterable[Wish], shortage: float, seed: int) -> Stocking:
    """Stock for these orders, of which that share is left short: fewer, where too few could be.

    And stock for all exchanges but those of scarce goods, so that they take none of an order.
    """
    exchanged = Counter[str]()
    wanted = Counter[str]()
    most: dict[str, tuple[int, str]] = {}
    orders = 0
    for place in wishes:
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
    """What an order wants of each SKU, over all its lines."""
    units = Counter[str]()
    for line in place.command.lines:
        units[line.sku] += line.quantity
    return units


def _chosen(
    wanted: Mapping[str, int], most: Mapping[str, tuple[int, str]], number: int, seed: int
) -> Mapping[str, str]:
    """So many orders, each by the SKU that it is to find too little of."""
    could_be = defaultdict[str, list[str]](list)
    for sku, (units, order_id) in most.items():
        if 2 * units > wanted[sku]:
            could_be[order_id].append(sku)
    chance = Random(seed)
    short = chance.sample(sorted(could_be), min(number, len(could_be)))
    return {chance.choice(sorted(could_be[order_id])): order_id for order_id in short}

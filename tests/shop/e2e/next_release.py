"""The command line of a next release, in which ``order_summary`` has another version.

It shows one field more, and writes countries in capitals.
"""

from dataclasses import replace
from typing import Any

from application.messages import RecordedEvent
from application.shop.read_models.order_summary import OrderSummary, order_summary
from application.shop.service import SHOP
from infrastructure.cli.main import main
from infrastructure.shop.program import PROGRAM


class OrderSummaryAnew(OrderSummary):
    returned_something: bool = False


def _evolve(order: OrderSummary | None, recorded: RecordedEvent) -> Any:
    assert order_summary.evolve  # it has no parts
    shown = order_summary.evolve(order, recorded)
    assert shown is not None  # an order never goes away
    country = shown.country.upper() if shown.country else None
    anew = {**dict(shown), "country": country, "returned_something": shown.returned_units > 0}
    return OrderSummaryAnew(**anew)


if __name__ == "__main__":
    anew: Any = replace(
        order_summary, version=order_summary.version + 1, view=OrderSummaryAnew, evolve=_evolve
    )
    later = replace(SHOP, projections=(*SHOP.projections, anew))
    main(replace(PROGRAM, service=later))

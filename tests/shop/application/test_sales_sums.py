"""The sample as its read models show it, added up."""

from decimal import Decimal

from application.command_dispatch import CommandDispatch
from application.shop.importing import import_history
from application.shop.service import SHOP
from infrastructure import memory
from infrastructure.shop.online_retail import SAMPLE, History
from tests.shop.sales_figures import SALES, Sales, add_up, fill


async def test_four_read_models_and_the_file_agree() -> None:
    """Orders, lines, units and money of the sample are the same wherever they are known."""
    store, builds = memory.EventStore(SHOP.catalogue), memory.Builds()
    models = memory.ReadModels(SALES, builds)
    await builds.register(SALES)
    report = await import_history(History(SAMPLE), CommandDispatch(store, SHOP.catalogue))
    for projection in SALES:
        await fill(projection, models, memory.Subscriptions(store))

    sales = await add_up(SAMPLE, models)

    assert sales.disagreements() == set()
    assert sales.by_source["order_summary"]["orders"] == report.orders == 206
    assert sales.by_source["the file itself"]["gross"] == Decimal("303470.00")
    assert sales.guests["orders"] == 20  # nobody's orders are in no customer's document


def test_one_penny_too_much_is_a_disagreement() -> None:
    """A figure that two sources know must be the same; one that only one knows may be anything."""
    one = {"gross": Decimal("10.00"), "units": Decimal(1), "lines": Decimal(1)}
    other = {"gross": Decimal("10.01"), "units": Decimal(1)}

    assert Sales({"one": one, "other": other}, guests={}).disagreements() == {"gross"}

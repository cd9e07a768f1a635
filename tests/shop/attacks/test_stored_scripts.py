"""Scripts in each field of an order, on all pages of the console."""

from tests.console.test_attacks import BREAKING, SCRIPT, walked
from tests.shop.infrastructure.shop import LINE, ORDER, empty_shop, shop_over


async def test_no_field_of_an_order_is_a_script_on_any_page() -> None:
    """Those that take any text have it; those that do not, refuse it."""
    async with shop_over(empty_shop()) as shop:
        for changed in (
            {"customer_id": BREAKING},
            {"country": BREAKING},
            {"country": SCRIPT},
            {"recipient": SCRIPT},
            {"address": SCRIPT},
            {"lines": [{**LINE, "sku": BREAKING}]},
            {"lines": [{**LINE, "description": BREAKING}]},
        ):
            answer = await shop.post("/orders", {**ORDER, **changed})
            assert answer.status_code in (201, 422)
        order = await shop.placed()
        await shop.post(f"{order}/cancellation", {"reason": BREAKING})

        pages = await walked(shop, "/console")

        assert any("&lt;script&gt;" in html for html in pages.values())
        for path, html in pages.items():
            assert SCRIPT not in html, path
            assert "<img src=x" not in html, path

"""The page of one order, in the console: who gets it is masked, for a guest too."""

from tests.shop.infrastructure.shop import ORDER, Shop

LABEL = {"recipient": "Ada Lovelace", "address": "12 St James's Square"}


async def test_who_gets_the_parcel_is_masked(shop: Shop) -> None:
    """A guest has no number, but a name: the page has neither it nor the address."""
    placed = await shop.post("/orders", {**ORDER, "customer_id": None, **LABEL})
    page = (await shop.get(f"/console{placed.headers['Location']}")).text

    assert "<dt>Parcel to</dt><dd>•••</dd>" in page
    assert "act/personal-data-show" in page
    assert "Lovelace" not in page
    assert "Square" not in page

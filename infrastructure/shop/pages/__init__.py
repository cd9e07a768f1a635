"""The shop's pages in the console: orders, and sales."""

from collections.abc import Sequence

from infrastructure.console import Section


def sections() -> Sequence[Section]:
    """In the order of the navigation."""
    from infrastructure.shop.pages import orders, sales

    return orders.SECTION, sales.SECTION

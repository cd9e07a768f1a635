"""What ``headwater run`` prints when everything runs: what is where, and what to try next."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from application import queries
from application.projections.order_summary import order_summary
from application.queries import OrderTotals
from infrastructure.container import Container
from infrastructure.health import readiness
from infrastructure.settings import Settings, without_password

_NEW_ORDER = '{"lines": [{"sku": "85123A", "quantity": 6, "unit_price": "2.55 GBP"}]}'


async def welcome(container: Container, given: Settings, url: str, console: Console) -> None:
    """Print it. ``given`` is what the person has set; the container knows what came of it."""
    found = await readiness(container)
    wrong = [(name, state) for name, state in found.items() if state != "ok"]
    summaries = await container.read_models().live(order_summary)
    totals = await queries.order_totals(summaries)
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, what in [*_what_runs(container.settings(), given, url), *_orders(totals), *wrong]:
        rows.add_row(name, what)
    colour, title = ("red", "Headwater runs, but") if wrong else ("green", "Headwater runs")
    console.print(Panel(rows, title=title, title_align="left", border_style=colour))
    console.print("\nTry next, in another terminal:\n")
    async for comment, line in _to_try(container, url):
        console.print(f"  # {comment}\n  {line}\n", highlight=False, markup=False, soft_wrap=True)
    console.print("Ctrl-C stops everything; the next start finds all data again.")


def _what_runs(used: Settings, given: Settings, url: str) -> Iterator[tuple[str, str]]:
    yield "HTTP API", f"{url}, described at {url}/docs"
    yield "EventStoreDB", _server(given.eventstoredb_uri, used.eventstoredb_uri)
    yield "PostgreSQL", _server(given.postgres_uri, "on a socket of its own")
    for name, ours, used_uri in (
        ("Payments", given.payment_provider_uri, used.payment_provider_uri),
        ("Parcels", given.carrier_uri, used.carrier_uri),
    ):
        yield name, without_password(ours) if ours else f"{used_uri} (simulated)"
    yield "Data and logs", f"{_short(used.headwater_home)}, log/headwater.log in it"


def _server(given: str | None, embedded: str | None) -> str:
    return without_password(given) if given else f"{embedded} (embedded)"


def _orders(totals: Sequence[OrderTotals]) -> Iterator[tuple[str, str]]:
    for name, of in zip(["Orders", *[""] * len(totals)], totals, strict=False):
        worth = f"{of.total.amount:,f} {of.total.currency}"
        yield name, f"{of.orders:,} orders of {of.lines:,} lines, worth {worth}"


async def _to_try(container: Container, url: str) -> AsyncIterator[tuple[str, str]]:
    curl = "curl"
    if container.settings().api_token is not None:
        curl += ' -H "Authorization: Bearer $API_TOKEN"'
    yield (
        "place an order; send it again: the same answer, and no second order",
        f"{curl} -i {url}/orders -H 'Content-Type: application/json' "
        f"-H 'Idempotency-Key: my-first-order' -d '{_NEW_ORDER}'",
    )
    summaries = await container.read_models().live(order_summary)
    some = await queries.orders(summaries, limit=1)
    for order in some.items:
        yield "what the read model knows of an order", f"{curl} {url}/orders/{order.order_id}"
        yield (
            "what has happened to it, with who, when and why",
            f"{curl} {url}/orders/{order.order_id}/history",
        )


def _short(path: Path) -> str:
    """As seen from here, where that is shorter."""
    return min(str(path.absolute()), os.path.relpath(path), key=len)

"""What ``headwater run`` prints when everything runs: the addresses, and commands to try."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.panel import Panel

from application.shop import queries
from application.shop.queries import OrderTotals
from application.shop.read_models.order_summary import order_summary
from infrastructure.cli.printing import Console, Table
from infrastructure.container import Container
from infrastructure.settings import Settings, without_password
from infrastructure.shop.http.orders import order_placed_with
from infrastructure.shop.settings import ShopSettings

_GOODS = '{"quantity": 100}'
_KEY = "my-first-order"
_NEW_ORDER = '{"lines": [{"sku": "85123A", "quantity": 6, "unit_price": "2.55 GBP"}]}'


async def welcome(container: Container, given: ShopSettings, url: str, console: Console) -> None:
    """Print it. ``given``: the settings of the user; the container has those of what runs."""
    found = await container.health().readiness()
    wrong = [(name, state) for name, state in found.checks.items() if state != "ok"]
    summaries = await container.read_models().live(order_summary)
    totals = await queries.order_totals(summaries)
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, what in [*_what_runs(container.settings(), given, url), *_orders(totals), *wrong]:
        rows.add_row(name, what)
    colour, title = ("red", "Headwater runs, but") if wrong else ("green", "Headwater runs")
    console.print(Panel(rows, title=title, title_align="left", border_style=colour))
    console.print()
    console.print("Try next, in another terminal:")
    console.print()
    for comment, line in _to_try(container.settings(), url):
        console.print(f"  # {comment}", soft_wrap=True)
        console.print(f"  {line}", soft_wrap=True)
        console.print()
    console.print("Ctrl-C stops everything; the next start finds all data again.")


def _what_runs(used: Settings, given: ShopSettings, url: str) -> Iterator[tuple[str, str]]:
    assert isinstance(used, ShopSettings)
    if used.console:  # only: console
        yield "Console", f"{url}/console"  # only: console
    yield "HTTP API", f"{url}, described at {url}/docs"
    # only: eventstoredb
    if used.event_store == "eventstoredb":
        yield "EventStoreDB", _server(given.eventstoredb_uri, used.eventstoredb_uri)
    # end: eventstoredb
    # only: dynamodb
    if used.tables_in == "dynamodb":
        yield "DynamoDB", f"{used.dynamodb_uri or 'AWS'}, {used.dynamodb_table_prefix}…"
    # end: dynamodb
    # only: postgres
    if used.read_models == "postgres":
        postgres = _server(given.postgres_uri, "on a socket of its own")
        yield "PostgreSQL", postgres + (", events and read models" if used.one_database else "")
    # end: postgres
    # only: temporal
    if used.temporal_address:
        pages = f", its pages at {used.temporal_ui_uri}" if used.temporal_ui_uri else ""
        yield "Temporal", _server(given.temporal_address, used.temporal_address) + pages
    # end: temporal
    for name, ours, used_uri in (
        ("Payments", given.payment_provider_uri, used.payment_provider_uri),
        ("Parcels", given.carrier_uri, used.carrier_uri),
    ):
        yield name, without_password(ours) if ours else f"{used_uri} (simulated)"
    if used.master_key is None:
        yield (
            "Personal data",
            f"encrypted by a known key, until {used.name_of('master_key')} is set",
        )
    yield "Data and logs", f"{_short(used.home)}, log/headwater.log in it"


def _server(given: str | None, started: str | None) -> str:
    return without_password(given) if given else f"{started} (started with it)"


def _orders(totals: Sequence[OrderTotals]) -> Iterator[tuple[str, str]]:
    for name, of in zip(["Orders", *[""] * len(totals)], totals, strict=False):
        worth = f"{of.total.amount:,f} {of.total.currency}"
        yield name, f"{of.orders:,} orders of {of.lines:,} lines, worth {worth}"


def _to_try(settings: Settings, url: str) -> Iterator[tuple[str, str]]:
    curl = "curl"
    if settings.api_token is not None:
        curl += f' -H "Authorization: Bearer ${settings.name_of("api_token")}"'
    post = f"{curl} -i -H 'Content-Type: application/json'"
    yield (
        "receive goods, so that there is something to sell",
        f"{post} -H 'Idempotency-Key: first-goods' {url}/stock/85123A/receipts -d '{_GOODS}'",
    )
    yield (
        "place an order; sent again, it gets the same answer and makes no second order",
        f"{post} -H 'Idempotency-Key: {_KEY}' {url}/orders -d '{_NEW_ORDER}'",
    )
    yield (
        "see its saga: goods reserved, payment captured, parcel booked, order confirmed",
        f"{curl} {url}/orders/{order_placed_with(_KEY)}/fulfilment",
    )


def _short(path: Path) -> str:
    """Relative to the working directory, where that is shorter."""
    return min(str(path.absolute()), os.path.relpath(path), key=len)

"""``headwater audit``: checks that every unit, penny, parcel and saga of a shop adds up."""

from collections.abc import Iterator
from decimal import Decimal

import typer
from rich.text import Text

from application.ports import ProviderUnavailable
from application.shop.auditing import Summary, Verdict, audit
from application.whole_log import Report
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console, Table
from infrastructure.cli.progress import shown
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS_AND_OUTSIDE
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_SHOWN = 20  # findings, and things under way, that are printed
_RIGHT, _WRONG = ("✓", "green"), ("✗", "red")


async def audit_shop(deployment: Deployment, *, json: bool) -> None:
    """Audit the store and print the verdict. Raises :class:`CommandFailed`."""
    with shown() as report:
        verdict = await _audited(deployment, report)
    if json:
        say_data(verdict.model_dump(mode="json"))
    else:
        show(verdict, Console())
    if not verdict.adds_up:
        raise typer.Exit(1)


async def _audited(deployment: Deployment, report: Report) -> Verdict:
    async with opened_for(deployment, EVENTS_AND_OUTSIDE) as container:
        log, payloads = container.subscriptions(), container.payloads()
        try:
            return await audit(log, payloads, container.outside().audit, report)
        except ProviderUnavailable as error:
            raise CommandFailed(f"the records of a provider cannot be read: {error}") from error


def show(verdict: Verdict, console: Console) -> None:
    """Print the verdict for a person."""
    console.print(_table(verdict.summary))
    for one in verdict.findings[:_SHOWN]:
        console.print(Text.assemble(_WRONG, f" {one.where}: {one}"), soft_wrap=True)
    for thing in verdict.under_way[:_SHOWN]:
        what = f"{thing.what} {thing.return_id or ''}".rstrip()
        console.print(f"… order {thing.order_id}: {what}", soft_wrap=True)
    for things in (verdict.findings, verdict.under_way):
        if len(things) > _SHOWN:
            console.print(f"and {len(things) - _SHOWN:,} more; --json has all")
    console.print(_sentence(verdict))


def _sentence(verdict: Verdict) -> Text:
    left = len(verdict.under_way)
    waiting = f"; {left:,} are still under way" if left else ""
    if verdict.adds_up:
        return Text.assemble(_RIGHT, f" It adds up: every unit, penny, parcel and saga{waiting}.")
    found = f"{len(verdict.findings):,} findings{waiting}"
    return Text.assemble(_WRONG, f" It does not add up: {found}.")


def _table(summary: Summary) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right")
    table.add_column()
    before = ""
    for room, number, what in _rows(summary):
        table.add_row("" if room == before else room, number, what)
        before = room
    return table


def _rows(summary: Summary) -> Iterator[tuple[str, str, str]]:
    units, parcels = summary.units, summary.parcels
    for status, number in summary.orders.items():
        if number:
            yield "orders", f"{number:,}", status
    for end, number in summary.sagas.items():
        if number:
            yield "sagas", f"{number:,}", end
    for status, number in summary.exchanges.items():
        if number:
            yield "exchanges", f"{number:,}", status
    yield "units", f"{units.received:,}", f"received, {units.restocked:,} of them returned goods"
    if units.adjusted or units.written_off:
        yield "units", f"{units.adjusted:+,}", f"counted; {units.written_off:,} written off"
    yield "units", f"{units.dispatched:,}", "dispatched"
    yield "units", f"{units.on_hand:,}", f"on hand, {units.reserved:,} of them reserved"
    for currency, money in summary.money.items():
        room = f"money, {currency}"
        yield room, _money(money.authorised), f"authorised, {_money(money.voided)} of it voided"
        yield room, _money(money.captured), f"captured, {_money(money.held)} still held"
        yield room, _money(money.refunded), "refunded"
        yield room, _money(money.kept), "kept"
    yield "parcels", f"{parcels.booked:,}", f"booked, {parcels.cancelled:,} cancelled"
    yield "parcels", f"{parcels.delivered:,}", f"delivered, {parcels.handed_over:,} on their way"
    if parcels.failed:
        yield "parcels", f"{parcels.failed:,}", "lost"


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"

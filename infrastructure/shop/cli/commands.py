"""The commands of the shop, beside those of the kit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from application.access import AUDITOR, OPERATOR, Rule
from application.shop.access import CLERK, WAREHOUSE
from infrastructure.cli.access import ACTS, READS
from infrastructure.cli.process import clear_errors, deployed, finite, until_done, until_stopped
from infrastructure.shop.cli import exchanges, questions, warehouse
from infrastructure.shop.settings import ShopSettings

RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(("orders", "order", "customers"), Rule((OPERATOR, AUDITOR, CLERK))),
    **dict.fromkeys(("sales", "products"), Rule((OPERATOR, AUDITOR, CLERK))),
    "stock": Rule((OPERATOR, AUDITOR, CLERK, WAREHOUSE)),
    "import": ACTS,
    "providers": ACTS,
    "audit": READS,
    "simulate": ACTS,
    "warehouse picks": Rule((OPERATOR, AUDITOR, CLERK, WAREHOUSE)),
    "warehouse dispatch": Rule((OPERATOR, WAREHOUSE)),
    "warehouse hand-over": Rule((OPERATOR, WAREHOUSE)),
    "warehouse delivered": Rule((OPERATOR, WAREHOUSE)),
    "warehouse failed": Rule((OPERATOR, WAREHOUSE)),
    "exchanges list": Rule((OPERATOR, AUDITOR, CLERK, WAREHOUSE)),
    "exchanges request": Rule((OPERATOR, CLERK)),
    "exchanges received": Rule((OPERATOR, WAREHOUSE)),
    "exchanges dispatch": Rule((OPERATOR, WAREHOUSE)),
    "exchanges hand-over": Rule((OPERATOR, WAREHOUSE)),
    "exchanges cancel": Rule((OPERATOR, CLERK)),
}


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(warehouse.app, name="warehouse")
    app.add_typer(exchanges.app, name="exchanges")
    questions.add_to(app)
    app.command("import")(import_history)
    for command in (providers, audit, simulate):
        app.command()(command)


def providers(
    context: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option(help="The directory of its journal; unset: as `headwater run`.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8010,
    host: Annotated[
        str,
        typer.Option(help="The host by which clients call them; by default, this machine only."),
    ] = "127.0.0.1",
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing on disk.")] = False,
) -> None:
    """Start a simulated payment provider and carrier, with faults on request (`PUT /faults`)."""
    with clear_errors():
        from infrastructure.shop.cli.providers import run_providers

        if memory and data_dir:
            raise typer.BadParameter("--memory keeps nothing on disk: leave out --data-dir")
        settings = deployed(context).settings
        assert isinstance(settings, ShopSettings)  # the shop's program has declared it
        directory = data_dir or settings.home / "providers"
        file = None if memory else directory / "books.sqlite3"
        work = run_providers(
            file,
            port,
            host,
            settings,  # only: bus
        )
        until_stopped(work)


def import_history(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="UCI Online Retail as CSV, plain or gzip.")],
    report: Annotated[
        Path | None, typer.Option(help="A file for the whole report, as JSON.")
    ] = None,
    encoding: Annotated[
        Literal["utf-8", "windows-1252", "latin-1"] | None,
        typer.Option(help="The encoding of the file; unset: detected."),
    ] = None,
    dates: Annotated[
        Literal["iso", "month-first", "day-first"] | None,
        typer.Option(help="The form of its dates; unset: detected."),
    ] = None,
) -> None:
    """Import an order history. Repeating an import changes nothing, so it may be interrupted.

    Detects and prints the form of the file: UTF-8 or Windows-1252, dates such as
    2010-12-01 08:26:00 or 12/1/2010 8:26, commas or semicolons.

    Uses the store of a `headwater run` in the same home, or starts one for the import.
    """
    with clear_errors():
        from infrastructure.shop.cli.importing import import_file

        work = import_file(deployed(context), file, report, encoding=encoding, dates=dates)
        until_done(work)


def audit(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Check that the whole shop adds up: every unit of stock, penny, parcel and saga.

    Compares all events with the records of the payment provider and the carrier. On a terminal, one
    line shows what it is at: the part, how many of it, and how long.
    Exit code 1 when something does not add up.
    """
    with clear_errors():
        from infrastructure.shop.cli.auditing import audit_shop

        until_done(audit_shop(deployed(context), json=json))


def simulate(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="UCI Online Retail; unset: the bundled sample.")
    ] = None,
    speed: Annotated[
        str, typer.Option(help="This many times faster than real time; `max`: as fast as possible.")
    ] = "max",
    orders: Annotated[int | None, typer.Option(min=1, help="At most this many orders.")] = None,
    fault_rate: Annotated[
        float,
        typer.Option(
            min=0, max=1, callback=finite, help="The share of calls to the providers that fail."
        ),
    ] = 0.05,
    shortage: Annotated[
        float,
        typer.Option(
            min=0, max=1, callback=finite, help="The share of orders without enough stock."
        ),
    ] = 0.02,
    exchanges: Annotated[
        float,
        typer.Option(
            min=0, max=1, callback=finite, help="The share of returns that are exchanges."
        ),
    ] = 0.2,
    workers: Annotated[int, typer.Option(min=1, help="The number of saga workers.")] = 2,
    seed: Annotated[
        int, typer.Option(help="Selects the orders without stock and the calls that fail.")
    ] = 0,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the data in this directory; unset: delete it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document, at the end.")] = False,
) -> None:
    """Replay a real order history as live traffic, with faults, and audit the result.

    Starts servers of its own. Ctrl-C accepts no more orders and finishes those under way; a
    second Ctrl-C stops at once. Exit code 1 when something does not add up.
    """
    with clear_errors():
        from infrastructure.shop.cli.simulating import simulate as simulate_history
        from infrastructure.shop.online_retail import SAMPLE
        from infrastructure.shop.simulating import Options

        options = Options(_speed(speed), orders, fault_rate, shortage, exchanges, workers, seed)
        work = simulate_history(deployed(context), file or SAMPLE, options, data_dir, json=json)
        until_done(work)


def _speed(text: str) -> float | None:
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < float("inf"):
        raise typer.BadParameter(f"{text!r} is not a speed: give a number such as 1000, or `max`")
    return speed or None

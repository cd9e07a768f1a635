"""The command line: ``headwater``. Each command imports what it needs when it runs."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from infrastructure.cli import links, parked, projections, sagas
from infrastructure.cli.printing import say
from infrastructure.cli.process import (
    UsageError,
    clear_errors,
    finite,
    load_settings,
    prepare_process,
    until_done,
    until_stopped,
)
from infrastructure.shop.cli import questions, warehouse

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""
Order fulfilment for a shop, event-sourced on EventStoreDB or PostgreSQL.

`headwater run` starts everything, with servers of its own for what is not configured.

Settings come from the environment or a `.env` file; `headwater settings` lists them.
""",
)

app.add_typer(projections.app, name="projections")
app.add_typer(links.app, name="links")
app.add_typer(parked.app, name="parked")
app.add_typer(sagas.app, name="sagas")
app.add_typer(warehouse.app, name="warehouse")
questions.add_to(app)


def main() -> None:
    """The entry point. Exit code 1: it failed; 2: it was asked or set wrongly."""
    try:
        sys.argv[1:] = prepare_process(sys.argv[1:])
    except UsageError as error:
        say(f"headwater: {error}", err=True)
        sys.exit(2)
    app()


@app.command()
def run() -> None:
    """Start the service, and embedded servers for what is not configured.

    The first start on an empty embedded store brings in a sample of a real order history.
    Ctrl-C stops everything; the next start finds all data again.
    """
    with clear_errors():
        from infrastructure.processes.home import Home
        from infrastructure.processes.listener import listen

        settings = load_settings()
        home = Home(settings)
        with home.claimed(), listen(settings) as listener:
            say("Starting …")
            from infrastructure.cli.run import run_service  # a second of imports

            until_stopped(run_service(settings, home, listener))


@app.command()
def serve() -> None:
    """Start the service on the servers that are set: all have to be set.

    Nothing embedded and nothing simulated starts.
    """
    with clear_errors():
        from infrastructure.processes.listener import listen

        settings = load_settings()
        with listen(settings) as listener:
            from infrastructure.cli.run import serve_configured

            until_stopped(serve_configured(settings, listener))


@app.command()
def migrate() -> None:
    """Bring the tables of the PostgreSQL that is set, or of the embedded one, up to date.

    A service does so itself when it starts, if its role may. Doing it twice, or twice at once, does
    no harm.
    """
    with clear_errors():
        from infrastructure.cli.migrating import migrate as bring_up_to_date

        until_done(bring_up_to_date(load_settings()))


@app.command("settings")
def list_settings() -> None:
    """List the settings: environment variables, which may stand in a `.env` file, too."""
    from infrastructure.shop.settings import ShopSettings

    for name, field in ShopSettings.model_fields.items():
        default = f" ({field.default})" if field.default else ""
        say(f"{ShopSettings.name_of(name)}: {ShopSettings.description_of(name)}{default}")


@app.command()
def node(
    data_dir: Annotated[
        Path | None, typer.Option(help="Where its data lives; unset: as `headwater run`.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0: any free one; unset: 2113.")
    ] = None,
    http_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Also /health/live … over HTTP/1.1, on loopback."),
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Encrypted, with users.")] = False,
    cluster: Annotated[bool, typer.Option("--cluster", help="Three members, one leads.")] = False,
) -> None:
    """Start the embedded EventStoreDB node alone: any EventStoreDB client can talk to it."""
    with clear_errors():
        from infrastructure.processes.embedded_node import require_node

        require_node()
        from infrastructure.cli.node import run_node

        if memory and data_dir:
            raise typer.BadParameter("--memory keeps nothing, so it goes without --data-dir")
        settings = load_settings()
        directory = data_dir or settings.home / "eventstoredb"
        at = settings.eventstoredb_port if port is None else port
        kept = None if memory else directory
        until_stopped(run_node(kept, at, http_port=http_port, tls=tls, cluster=cluster))


@app.command()
def providers(
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the books are; unset: as `headwater run`.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8010,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing.")] = False,
) -> None:
    """Start a payment provider and a carrier that act as if, and can be told to misbehave."""
    with clear_errors():
        from infrastructure.shop.cli.providers import run_providers

        if memory and data_dir:
            raise typer.BadParameter("--memory keeps nothing, so it goes without --data-dir")
        directory = data_dir or load_settings().home / "providers"
        until_stopped(run_providers(None if memory else directory / "books.sqlite3", port))


@app.command("import")
def import_history(
    file: Annotated[Path, typer.Argument(help="UCI Online Retail as CSV, plain or gzip.")],
    report: Annotated[
        Path | None, typer.Option(help="Write the whole report there, as JSON.")
    ] = None,
    encoding: Annotated[
        Literal["utf-8", "windows-1252", "latin-1"] | None,
        typer.Option(help="Of its text; unset: as the file looks."),
    ] = None,
    dates: Annotated[
        Literal["iso", "month-first", "day-first"] | None,
        typer.Option(help="How it writes them; unset: as the file looks."),
    ] = None,
) -> None:
    """Bring in an order history. Doing it again changes nothing, so it can be cut off and repeated.

    It comes as it is mostly offered: UTF-8 or Windows-1252, dates such as 2010-12-01 08:26:00 or
    12/1/2010 8:26, commas or semicolons. What was found is said.

    Uses the store of a `headwater run` in the same home, or starts one for itself.
    """
    with clear_errors():
        from infrastructure.shop.cli.importing import import_file

        work = import_file(load_settings(), file, report, encoding=encoding, dates=dates)
        until_done(work)


@app.command()
def stream(
    name: Annotated[str, typer.Argument(help="`order-536365`; on EventStoreDB `$ce-order`, too.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    backwards: Annotated[bool, typer.Option("--backwards", help="Newest first.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000_000, help="At most so many events.")
    ] = None,
) -> None:
    """Print the events of a stream: what has happened, when, and who did it."""
    with clear_errors():
        from infrastructure.cli.streams import print_stream

        until_done(print_stream(load_settings(), name, json=json, backwards=backwards, limit=limit))


@app.command()
def audit(
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Add up the whole shop: every unit of stock, every penny, every parcel, every saga.

    Compares all events with the books of the payment provider and the carrier.
    Exit code 1 when something does not add up.
    """
    with clear_errors():
        from infrastructure.shop.cli.auditing import audit_shop

        until_done(audit_shop(load_settings(), json=json))


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Name the streams of which events are gone, so that nothing can be decided upon them.

    Truncated, deleted or expired: operators and server policies can do what the service cannot.
    Exit code 1 when there are any.
    """
    with clear_errors():
        from infrastructure.cli.doctor import examine

        until_done(examine(load_settings(), json=json))


@app.command()
def simulate(
    file: Annotated[
        Path | None, typer.Argument(help="UCI Online Retail; unset: the bundled sample.")
    ] = None,
    speed: Annotated[
        str, typer.Option(help="Times faster than it was; `max`: as fast as it goes.")
    ] = "max",
    orders: Annotated[int | None, typer.Option(min=1, help="At most so many orders.")] = None,
    fault_rate: Annotated[
        float,
        typer.Option(
            min=0, max=1, callback=finite, help="Share of calls to the providers that go wrong."
        ),
    ] = 0.05,
    shortage: Annotated[
        float,
        typer.Option(
            min=0, max=1, callback=finite, help="Share of orders that find too little stock."
        ),
    ] = 0.02,
    workers: Annotated[int, typer.Option(min=1, help="Saga workers that compete.")] = 2,
    seed: Annotated[int, typer.Option(help="Decides who finds no stock, which calls fail.")] = 0,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep it there, to be looked at; unset: keep nothing.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document in the end.")] = False,
) -> None:
    """Replay a real order history as live traffic, with faults, and audit what comes of it.

    On servers of its own. Ctrl-C lets what is under way come to its end; again: stops at once.
    Exit code 1 when something does not add up.
    """
    with clear_errors():
        from infrastructure.shop.cli.simulating import simulate as simulate_history
        from infrastructure.shop.online_retail import SAMPLE
        from infrastructure.shop.simulating import Options

        options = Options(_speed(speed), orders, fault_rate, shortage, workers, seed)
        work = simulate_history(load_settings(), file or SAMPLE, options, data_dir, json=json)
        until_done(work)


def _speed(text: str) -> float | None:
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < float("inf"):
        raise typer.BadParameter(f"{text!r} is no speed: a number, such as 1000, or `max`")
    return speed or None


@app.command()
def monitoring(
    what: Annotated[
        Literal["alerts", "dashboard"], typer.Argument(help="Prometheus rules, Grafana dashboard.")
    ],
) -> None:
    """Print what Prometheus or Grafana is to watch, made from the declared read models."""
    with clear_errors():
        from infrastructure import monitoring
        from infrastructure.cli.printing import say_file

        say_file(monitoring.rules() if what == "alerts" else monitoring.dashboard())


if __name__ == "__main__":
    main()

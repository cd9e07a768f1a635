"""The command line: ``headwater``. Each command imports what it needs when it runs."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from infrastructure.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""
Order fulfilment for a shop, event-sourced on EventStoreDB.

`headwater run` starts everything, with servers of its own for what is not configured.

Settings come from the environment or a `.env` file:

- `EVENTSTOREDB_URI`, `POSTGRES_URI`: the servers to talk to; unset: embedded ones
- `PAYMENT_PROVIDER_URI`, `CARRIER_URI`: whom to ask for money and parcels; unset: simulated ones
- `HEADWATER_HOME`: where embedded servers, payloads and logs live (`.headwater`)
- `HTTP_HOST`, `HTTP_PORT`, `EVENTSTOREDB_PORT`: where to listen (127.0.0.1, 8000, 2113)
- `API_TOKEN`: what clients have to send as `Authorization: Bearer …`
- `PAYLOADS_DIR`, `LOG_LEVEL`
- `BACKPRESSURE_SLOW_SECONDS`, `BACKPRESSURE_REFUSE_SECONDS`: how far read models may be behind
  before commands are slowed (10), refused (30)
- `CONSISTENCY_WAIT_SECONDS`: how long a question waits for its Consistency-Token (5)
""",
)


def main() -> None:
    """The entry point. Exit code 1: it failed; 2: it was asked or set wrongly."""
    app()


@app.command()
def run() -> None:
    """Start the service, and embedded servers for what is not configured.

    The first start on an empty embedded store brings in a sample of a real order history.
    Ctrl-C stops everything; the next start finds all data again.
    """
    with _clear_errors():
        from infrastructure.processes.home import Home
        from infrastructure.processes.listener import listen

        settings = _settings()
        home = Home(settings.headwater_home)
        with home.claimed(), listen(settings.http_host, settings.http_port) as listener:
            typer.echo("Starting …")
            from infrastructure.cli.run import run_service  # a second of imports

            _until_stopped(run_service(settings, home, listener))


@app.command()
def serve() -> None:
    """Start the service against EVENTSTOREDB_URI, POSTGRES_URI, PAYMENT_PROVIDER_URI, CARRIER_URI.

    Nothing embedded and nothing simulated starts.
    """
    with _clear_errors():
        from infrastructure.processes.listener import listen

        settings = _settings()
        settings.require("eventstoredb_uri", "postgres_uri", "payment_provider_uri", "carrier_uri")
        with listen(settings.http_host, settings.http_port) as listener:
            from infrastructure.cli.run import serve_configured

            _until_stopped(serve_configured(settings, listener))


@app.command()
def node(
    data_dir: Annotated[
        Path | None, typer.Option(help="Where its data lives; unset: as `headwater run`.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0: any free one; unset: 2113.")
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Encrypted, with users.")] = False,
    cluster: Annotated[bool, typer.Option("--cluster", help="Three members, one leads.")] = False,
) -> None:
    """Start the embedded EventStoreDB node alone: any EventStoreDB client can talk to it."""
    with _clear_errors():
        from infrastructure.cli.node import run_node

        if memory and data_dir:
            raise typer.BadParameter("--memory keeps nothing, so it goes without --data-dir")
        settings = _settings()
        directory = data_dir or settings.headwater_home / "eventstoredb"
        at = settings.eventstoredb_port if port is None else port
        kept = None if memory else directory
        _until_stopped(run_node(kept, at, tls=tls, cluster=cluster))


@app.command()
def providers(
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the books are; unset: as `headwater run`.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8010,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing.")] = False,
) -> None:
    """Start a payment provider and a carrier that act as if, and can be told to misbehave."""
    with _clear_errors():
        from infrastructure.cli.providers import run_providers

        if memory and data_dir:
            raise typer.BadParameter("--memory keeps nothing, so it goes without --data-dir")
        directory = data_dir or _settings().headwater_home / "providers"
        _until_stopped(run_providers(None if memory else directory / "books.sqlite3", port))


@app.command("import")
def import_history(
    file: Annotated[Path, typer.Argument(help="UCI Online Retail as CSV, plain or gzip.")],
    report: Annotated[
        Path | None, typer.Option(help="Write the whole report there, as JSON.")
    ] = None,
) -> None:
    """Bring in an order history. Doing it again changes nothing, so it can be cut off and repeated.

    Uses the store of a `headwater run` in the same HEADWATER_HOME, or starts one for itself.
    """
    with _clear_errors():
        from infrastructure.cli.importing import import_file

        _until_done(import_file(_settings(), file, report))


@app.command()
def stream(
    name: Annotated[str, typer.Argument(help="Such as `order-536365` or `$ce-order`.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    backwards: Annotated[bool, typer.Option("--backwards", help="Newest first.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many events.")] = None,
) -> None:
    """Print the events of a stream: what has happened, when, and who did it."""
    with _clear_errors():
        from infrastructure.cli.streams import print_stream

        _until_done(print_stream(_settings(), name, json=json, backwards=backwards, limit=limit))


@app.command()
def monitoring(
    what: Annotated[
        Literal["alerts", "dashboard"], typer.Argument(help="Prometheus rules, Grafana dashboard.")
    ],
) -> None:
    """Print what Prometheus or Grafana is to watch, made from the declared read models."""
    with _clear_errors():
        from infrastructure import monitoring

        typer.echo(monitoring.rules() if what == "alerts" else monitoring.dashboard(), nl=False)


def _settings() -> "Settings":
    from infrastructure import settings

    return settings.load()


@contextmanager
def _clear_errors() -> Iterator[None]:
    """What can go wrong outside of our code is told in one line, without a trace."""
    from application.ports import PayloadUnavailable, StoreUnavailable
    from infrastructure.processes import Hindrance
    from infrastructure.settings import InvalidSettings

    try:
        yield
    except InvalidSettings as error:
        _fail(error, code=2)
    except KeyboardInterrupt:  # before anything ran that would have to be stopped
        raise typer.Exit(130) from None
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (Hindrance, StoreUnavailable, PayloadUnavailable, OSError) as error:
        _fail(error, code=1)


def _fail(error: Exception, code: int) -> None:
    for line in str(error).splitlines():
        typer.echo(f"headwater: {line}", err=True)
    raise typer.Exit(code) from None


def _until_stopped(service: Coroutine[Any, Any, None]) -> None:
    """Run until it is stopped: that is how it should end."""
    try:
        _run(service)
    except asyncio.CancelledError:
        return


def _until_done(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end: being stopped before is a failure."""
    try:
        _run(work)
    except asyncio.CancelledError:
        typer.echo("headwater: stopped before the end", err=True)
        raise typer.Exit(130) from None


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run it; Ctrl-C and the like cancel it, so everything that was started is stopped."""

    async def cancellable() -> None:
        task = asyncio.current_task()
        assert task is not None  # we are in one
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
        await work

    asyncio.run(cancellable())


if __name__ == "__main__":
    main()

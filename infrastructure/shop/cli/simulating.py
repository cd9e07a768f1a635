"""``headwater simulate``: a real order history as live traffic, and an audit at the end."""

import asyncio
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import typer
from rich.live import Live

from application.shop.auditing import Verdict
from infrastructure import telemetry
from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console, Table
from infrastructure.cli.process import UsageError  # only: dynamodb_events
from infrastructure.cli.progress import shown
from infrastructure.processes import CommandFailed
from infrastructure.program import Deployment
from infrastructure.shop.cli.auditing import show
from infrastructure.shop.online_retail import History, NotAHistory
from infrastructure.shop.simulating import Options, Seen, SimulatedShop, shop_opened

_LOOK = 0.5  # seconds between two updates, on a terminal
_LOOK_PLAIN = 5.0
_PAYLOADS_IN_HOME: Final[Mapping[str, object]] = {
    "payload_store": "directory",  # only: s3
    "payloads_dir": None,
    "payloads_also_in": (),
}
_CLOSED = "No more orders are accepted; those under way are finished. Ctrl-C again stops at once."


async def simulate(
    deployment: Deployment, file: Path, options: Options, data_dir: Path | None, *, json: bool
) -> None:
    """Simulate, and print the result.

    Raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``.
    """
    history = _checked(file)
    # only: dynamodb_events
    if data_dir is not None and deployment.settings.event_store == "dynamodb":
        raise UsageError(
            "--data-dir keeps no events of DynamoDB: a simulation has tables of its own there, "
            "which it deletes in the end; leave it out"
        )
    # end: dynamodb_events
    with _kept_in(data_dir) as home:
        settings = deployment.settings
        own = settings.model_copy(update={"home": home, **_PAYLOADS_IN_HOME})
        telemetry.log_to_file(home / "log" / "headwater.log", settings.log_level)
        async with shop_opened(replace(deployment, settings=own)) as shop:
            await _watched(shop, history, options, Console(stderr=json))
            with shown() as report:
                seen, verdict = await shop.seen(), await shop.audit(report)
    if json:
        say_data(_document(seen, verdict))
    else:
        console = Console()
        console.print(_table(seen), "")
        show(verdict, console)
    if not verdict.adds_up:
        raise typer.Exit(1)


def _checked(file: Path) -> History:
    try:
        return History(file)
    except NotAHistory as error:
        raise CommandFailed(str(error)) from error


@contextmanager
def _kept_in(data_dir: Path | None) -> Iterator[Path]:
    if data_dir is not None:
        yield data_dir
        return
    with tempfile.TemporaryDirectory(prefix="headwater-") as temporary:
        yield Path(temporary)


async def _watched(
    shop: SimulatedShop, history: History, options: Options, console: Console
) -> None:
    with _closing(console) as closed:
        running = asyncio.create_task(shop.run(history, options, closed))
        try:
            await _look_on(shop, running, console)
            await running
        finally:
            running.cancel()
            await asyncio.wait([running])


async def _look_on(shop: SimulatedShop, running: asyncio.Task[None], console: Console) -> None:
    if not console.is_terminal:
        while (await asyncio.wait([running], timeout=_LOOK_PLAIN))[1]:
            console.print(_line(await shop.seen()), soft_wrap=True)
        return
    with Live(console=console, transient=True) as live:
        while (await asyncio.wait([running], timeout=_LOOK))[1]:
            live.update(_table(await shop.seen()))


@contextmanager
def _closing(console: Console) -> Iterator[asyncio.Event]:
    """The first Ctrl-C sets the event, so that everything under way ends; the second cancels."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    closed = asyncio.Event()
    assert task is not None  # we are in one

    def close() -> None:
        if closed.is_set():
            task.cancel()
        else:
            closed.set()
            console.print(_CLOSED, soft_wrap=True)

    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, close)
    try:
        yield closed
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, task.cancel)


def _table(seen: Seen) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right")
    table.add_column()
    for row in _rows(seen):
        table.add_row(*row)
    return table


def _rows(seen: Seen) -> Iterator[tuple[str, str, str]]:
    tally = seen.tally
    yield "placed", f"{tally.placed:,}", f"orders, {seen.short:,} of them without enough stock"
    yield "completed", f"{tally.completed:,}", f"sagas; {tally.delivered:,} orders delivered"
    yield "compensated", f"{tally.compensated:,}", "sagas: everything undone"
    yield "failed", f"{tally.failed:,}", "sagas: a person must act"
    yield "running", f"{tally.running:,}", "sagas"
    yield "returned", f"{tally.returns:,}", "returns of goods"
    yield "exchanged", f"{tally.exchanges:,}", "exchanges of goods"
    yield "latency", _seconds(tally.p50_seconds), f"p50, {_seconds(tally.p99_seconds)} p99"
    yield "faults", f"{seen.faults:,}", f"injected: {_kinds(seen)}" if seen.faults else "injected"
    yield "retries", f"{tally.retries:,}", "of a step or its compensation"


def _line(seen: Seen) -> str:
    tally = seen.tally
    return (
        f"placed {tally.placed:,}, completed {tally.completed:,}, "
        f"compensated {tally.compensated:,}, failed {tally.failed:,}, running {tally.running:,}; "
        f"p50 {_seconds(tally.p50_seconds)}, p99 {_seconds(tally.p99_seconds)}; "
        f"{seen.faults:,} faults, {tally.retries:,} retries"
    )


def _kinds(seen: Seen) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(seen.struck.items()))


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _document(seen: Seen, verdict: Verdict) -> dict[str, object]:
    return {**seen.model_dump(mode="json"), "audit": verdict.model_dump(mode="json")}

"""The import of an order history: ``python -m tests.shop.benchmarks.importing [FILE]``.

Three times the same file, each time with more around it: read and planned, without a store; into
memory; and ``headwater import`` with an embedded node of its own, as a person runs it. The ratio
says what each adds to the first, on whatever machine.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL

import psutil

from application.command_dispatch import CommandDispatch
from application.shop.importing import Report, import_history
from application.shop.importing.plan import Plan, survey
from application.shop.service import SHOP
from infrastructure import memory
from infrastructure.shop.online_retail import SAMPLE, History
from tests.shop.e2e.cli import COMMAND


def main(file: Path = SAMPLE) -> None:
    """Measure and print a table. Without a file: the bundled sample, which is mostly start-up."""
    history = History(file)
    planned = seconds(lambda: sum(1 for _ in Plan(survey(history)).steps(history)))
    in_memory = seconds(lambda: asyncio.run(into_memory(history)))
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        started = time.perf_counter()
        peak, worked = watched(command(file, home))
        on_node = time.perf_counter() - started
        report = Report.model_validate_json((home / "report.json").read_text())
    print(
        f"{report.lines:,} lines of {file.name}: {report.orders:,} orders, "
        f"{report.order_value}, {report.returns:,} returns"
    )
    for name, taken in (
        ("read and planned", planned),
        ("imported into memory", in_memory),
        ("headwater import, with its node", on_node),
    ):
        pace = report.lines / taken
        print(f"{name:34}{taken:8.1f} s {pace:10,.0f} lines/s {taken / planned:7.1f} ratio")
    print(f"{'its processor time, node and all':34}{worked:8.1f} s")
    print(f"{'its memory, node and all':34}{peak / 2**20:8.0f} MB at most")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


async def into_memory(history: History) -> Report:
    return await import_history(
        history, CommandDispatch(memory.EventStore(SHOP.catalogue), SHOP.catalogue)
    )


def command(file: Path, home: Path) -> psutil.Popen:
    return psutil.Popen(
        [*COMMAND, "import", str(file.absolute()), "--report", str(home / "report.json")],
        env={**os.environ, "HEADWATER_HOME": str(home), "EVENTSTOREDB_URI": ""},
        stdout=DEVNULL,
    )


def watched(process: psutil.Popen) -> tuple[int, float]:
    """Wait for its end: the most bytes that it and its children held, and how long they worked."""
    peak, worked = 0, 0.0
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(held(member) for member in family))
            worked = max(worked, sum(sum(member.cpu_times()[:2]) for member in family))
        time.sleep(0.1)
    return peak, worked


def held(process: psutil.Process) -> int:
    memory = process.memory_full_info()
    return int(getattr(memory, "pss", memory.uss))  # only Linux knows the proportional set


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

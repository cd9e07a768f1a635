"""Workflow code asks no clock, takes no chance, does no I/O, and starts no thread."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from inspect import getsourcefile
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from application.sagas import actions, events, fold, outcomes, progress, saga, state
from infrastructure.temporal import attempting, news, record, workflow
from tests.sample import money_transfer

WORKFLOW: Final[Sequence[ModuleType]] = (workflow, record, attempting, news)
"""What runs in the sandbox, and what it calls that is passed through it."""
PURE: Final[Sequence[ModuleType]] = (actions, events, fold, outcomes, progress, saga, state)
DEFINITIONS: Final[Sequence[ModuleType]] = (money_transfer,)
ROOMS: Final[Mapping[str, str]] = {  # module: what is wrong with anything in it
    **dict.fromkeys(("time", "zoneinfo"), "a clock: use workflow.now"),
    **dict.fromkeys(("random", "secrets"), "chance: use workflow.random"),
    **dict.fromkeys(("threading", "multiprocessing", "concurrent"), "a thread"),
    **dict.fromkeys(
        ("os", "io", "socket", "subprocess", "pathlib", "shutil", "sqlite3", "logging"), "I/O"
    ),
    **dict.fromkeys(("aiohttp", "httpx", "urllib", "requests", "structlog"), "I/O"),
    "psycopg": "I/O",  # only: postgres
}
NAMES: Final[Mapping[str, str]] = {  # the end of a dotted name
    **dict.fromkeys(("datetime.now", "datetime.utcnow", "date.today"), "a clock: workflow.now"),
    **dict.fromkeys(("uuid1", "uuid4"), "chance: use workflow.uuid4"),
    **dict.fromkeys(("open", "print", "input"), "I/O"),
    **dict.fromkeys(("asyncio.to_thread", "run_in_executor", "asyncio.new_event_loop"), "a thread"),
    **dict.fromkeys(("asyncio.sleep", "asyncio.timeout", "asyncio.wait_for"), "workflow.sleep"),
    **dict.fromkeys(("asyncio.wait", "asyncio.as_completed"), "an order that varies"),
}


def offences(source: str) -> Iterator[str]:
    """Each with its line, the name, and what is wrong with it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (_room(node, one.name) for one in names if _is_forbidden(one.name))
            case ast.ImportFrom(module=str(module), names=names):
                if _is_forbidden(module):
                    yield _room(node, module)
                full = (f"{module}.{one.name}" for one in names)
                yield from (_name(node, name) for name in full if _wrong(name) and module == "uuid")
            case ast.Call(func=called):
                if _wrong(name := ast.unparse(called)):
                    yield _name(node, name)
            case _:
                pass


def _is_forbidden(module: str) -> bool:
    return module.partition(".")[0] in ROOMS


def _wrong(name: str) -> str | None:
    if name.startswith("workflow."):
        return None  # Temporal's own, which is replayed
    ends = (why for end, why in NAMES.items() if name == end or name.endswith(f".{end}"))
    return next(ends, None)


def _room(node: ast.stmt, module: str) -> str:
    return f"{node.lineno}: {module}: {ROOMS[module.partition('.')[0]]}"


def _name(node: ast.stmt | ast.expr, name: str) -> str:
    return f"{node.lineno}: {name}: {_wrong(name)}"


@pytest.mark.parametrize(
    "module", [*WORKFLOW, *PURE, *DEFINITIONS], ids=lambda module: module.__name__
)
def test_workflow_code_keeps_temporals_rules(module: ModuleType) -> None:
    """The loop, the pure functions around it, and the definitions of sagas."""
    file = getsourcefile(module)
    assert file is not None
    assert list(offences(Path(file).read_text())) == []


@pytest.mark.parametrize(
    ("code", "offence"),
    [
        ("import time", "1: time: a clock: use workflow.now"),
        ("from random import random", "1: random: chance: use workflow.random"),
        ("now = datetime.now(UTC)", "1: datetime.now: a clock: workflow.now"),
        ("datetime.datetime.utcnow()", "1: datetime.datetime.utcnow: a clock: workflow.now"),
        ("from uuid import uuid4", "1: uuid.uuid4: chance: use workflow.uuid4"),
        ("id = uuid.uuid4()", "1: uuid.uuid4: chance: use workflow.uuid4"),
        ("open('a')", "1: open: I/O"),
        ("from pathlib import Path", "1: pathlib: I/O"),
        ("import threading", "1: threading: a thread"),
        ("async def f():\n    await asyncio.to_thread(g)", "2: asyncio.to_thread: a thread"),
        ("async def f():\n    await asyncio.sleep(1)", "2: asyncio.sleep: workflow.sleep"),
        ("import urllib.request", "1: urllib.request: I/O"),
    ],
)
def test_an_offender_is_named(code: str, offence: str) -> None:
    """With its line, and what would be right."""
    assert list(offences(code)) == [offence]


def test_what_temporal_replays_is_no_offence() -> None:
    """Its clock, ids and chance; and an id that is derived."""
    code = "a = workflow.now(); b = workflow.uuid4(); c = workflow.random().random(); uuid5(d, e)"
    assert list(offences(code)) == []

"""A command imports what it works with: the rest would be most of the time that it takes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.infrastructure.test_drivers import EVENTSTOREDB, POSTGRES
from tests.without import COMMAND, run

HTTP = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools")
UNUSED = ("yaml", "pydantic_settings")  # optional for the library that wires
WORK = ("dependency_injector", "prometheus_client", "structlog")


LISTED = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
"""
"""Prints what was imported, as the last line."""


def imported_by(
    arguments: Sequence[str], home: Path, script: str = COMMAND, **settings: str
) -> set[str]:
    """The modules that a process imports which runs this command."""
    ended = run((), LISTED + script, home, *arguments, **settings)
    assert ended.returncode == 0, ended.stderr[-1_000:]
    return set(ended.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments", [("--help",), ("settings",), ("sagas", "-h"), ("bus", "contract")], ids=" ".join
)
def test_a_command_that_opens_nothing_imports_no_driver(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Neither does it import what wires a service, measures it or logs."""
    modules = imported_by(arguments, tmp_path)

    assert modules & {*HTTP, *UNUSED, *WORK, *EVENTSTOREDB, *POSTGRES} == set()


@pytest.mark.parametrize(
    "arguments", [("projections", "actions", "balances"), ("sagas", "list")], ids=" ".join
)
def test_a_command_on_read_models_imports_no_event_store(
    tmp_path: Path, servers: Mapping[str, str], arguments: tuple[str, ...]
) -> None:
    """Nor anything of HTTP, which only a service needs."""
    run((), COMMAND, tmp_path, "migrate", **servers)
    modules = imported_by(arguments, tmp_path, **servers)

    assert "psycopg" in modules
    assert modules & {*HTTP, *UNUSED, *EVENTSTOREDB} == set()


def test_a_command_on_events_imports_the_driver_of_their_store(
    tmp_path: Path, servers: Mapping[str, str]
) -> None:
    """With events in EventStoreDB, it does not import that of the read models."""
    modules = imported_by(("doctor",), tmp_path, **servers)

    used, other = ("esdbclient", POSTGRES)
    if servers.get("HEADWATER_EVENT_STORE") == "postgres":
        used, other = ("psycopg", EVENTSTOREDB)
    assert used in modules
    assert modules & {*HTTP, *UNUSED, *other} == set()


def test_the_process_that_watches_imports_no_driver_and_no_http(tmp_path: Path) -> None:
    """What `run` itself works with: it starts processes, and those import what they need."""
    script = "import tests.sample.program, infrastructure.cli.run"
    modules = imported_by((), tmp_path, script)

    wiring = {"dependency_injector", "prometheus_client"}
    assert modules & {*HTTP, *UNUSED, *wiring, *EVENTSTOREDB, *POSTGRES} == set()


def test_a_worker_imports_no_framework_of_the_api(tmp_path: Path) -> None:
    """A process without the API answers for its health and metrics without it."""
    script = "import tests.sample.program, infrastructure.cli.serve, infrastructure.http.worker"
    modules = imported_by((), tmp_path, script)

    assert modules & {"fastapi", "starlette", *UNUSED} == set()


BUILT = """
from application.projections.projection import View
from domain.decider import Command, Event
from tests.sample.program import BANK

def below(model):
    return [model, *(found for child in model.__subclasses__() for found in below(child))]

models = [found for base in (Event, Command, View) for found in below(base)]
print(len(models), *(model.__name__ for model in models[3:] if model.__pydantic_complete__))
"""


def test_models_are_built_on_first_use(tmp_path: Path) -> None:
    """A command imports the models of all events and views, and works with few of them."""
    count, *built = run((), BUILT, tmp_path).stdout.split()

    assert int(count) > 30
    assert built == []

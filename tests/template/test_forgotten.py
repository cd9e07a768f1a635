"""A part is added to the library and the rest is forgotten: a check fails, and says what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.template import matrix
from tests.template.service import render

PATIENCE: Final = 300.0  # seconds, on a busy machine too
LIBRARY: Final = Path(__file__).parent / "library"
"""The files of a service of a few lines, each under the path that it has there."""

SHELVES = '''"""A shelf. Stream: ``shelf-<id>``."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.decider import Command, Decider, Event


class ShelfPutUp(Event):
    pass


@dataclass(frozen=True)
class Shelf:
    there: bool = False


class PutUpShelf(Command):
    pass


def decide(_: PutUpShelf, shelf: Shelf) -> Sequence[ShelfPutUp]:
    return [] if shelf.there else [ShelfPutUp()]


decider: Decider[PutUpShelf, Shelf, ShelfPutUp] = Decider(Shelf(), lambda *_: Shelf(True), decide)
'''
REMINDERS = '''"""A reaction: the reader is reminded."""

from typing import Any

from application.library.aggregates import LOAN
from application.reactions import Reaction


async def handle(_: Any) -> None:
    """Sends a reminder."""


reminders: Reaction[Any] = Reaction("reminders", LOAN.own, lambda _: handle)
'''
PARTS = """
SHELF = Category.of("shelf", shelves.decider, shelves.PutUpShelf, shelves.ShelfPutUp)
readers = replace(copies, name="readers")
inventory = Saga(
    name="inventory",
    version=1,
    facts=Facts,
    steps=(Step("count"),),
    no_return="count",
    started_by=lambda _: None,
    starts=shelves.ShelfPutUp,
    cancels=Lent,
)

LIBRARY: Final"""
TABLE = {
    "from typing": """
from dataclasses import replace

from application.category import Category
from application.library.reminders import reminders
from application.sagas.saga import Facts, Saga, Step
from domain import shelves
from domain.loans import Lent
from typing""",
    "LIBRARY: Final": PARTS,
    "(LOAN,)": "(LOAN, SHELF)",
    "projections=(copies,)": "projections=(copies, readers), sagas=(inventory,)",
    "(LOAN, SHELF)": "(LOAN, SHELF), reactions=(reminders,)",
}
ROUTE = '''

@router.post("/{copy_id}/renewal")
@known_callers
async def renew(id: CopyId, body: Reader, request: Requested, response: Response) -> Done:
    """The reader keeps the copy."""
    return await request.carry_out(id, Lend(reader=body.reader), response)
'''
LOST = {
    "LoanEvent = Lent": "class Lost(Event):\n    pass\n\n\nLoanEvent = Lost | Lent",
    "case Returned():": "case Returned() | Lost():",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the checks say of a library to which one of everything was added, and nothing else."""
    at = tmp_path_factory.mktemp("services") / "library"
    _made(at)
    (at / "domain/shelves.py").write_text(SHELVES)
    (at / "application/library/reminders.py").write_text(REMINDERS)
    _edit(at / "application/library/service.py", TABLE)
    _edit(at / "domain/loans.py", LOST)
    routes = at / "infrastructure/library/routes.py"
    routes.write_text(routes.read_text() + ROUTE)
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    ended = subprocess.run(
        (*command, "tests/library", "tests/test_docs.py"),
        cwd=at,
        env={**os.environ, "PYTHONPATH": str(at), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return ended.stdout


def _made(at: Path) -> None:
    """A service that began with nothing, and has what its team has written."""
    render(at, {"name": "Library", "package": "library", "cli": "library", "example": "none"})
    for room in ("application", "infrastructure", "tests"):
        shutil.rmtree(at / room / "library")
    shutil.copytree(LIBRARY, at, dirs_exist_ok=True)
    matrix.as_if_set_up(at)
    assert matrix.made("reference", at, shared=True).passed


def _edit(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text()
    for before, after in changes.items():
        assert before in text, f"{file.name} no longer has {before!r}"
        text = text.replace(before, after)
    file.write_text(text)


@pytest.mark.parametrize(
    "says",
    [
        "add a sample to tests.library.event_samples, then: python -m tests.library.event_samples",
        "no law covers shelf: add its examples to the Histories of tests.library",
        "add an example with Lost to the life of loan in the Histories",
        "readers is not specified: write a test in tests.library with ProjectionSpecification(…, ",
        "inventory has no recorded history: add its stories to the SagaCorpus of tests.library.sag",
        "no test of tests.library imports application.library.reminders: write one that lets",
        "/copies/{copy_id}/renewal does not document 400, 409, 410, 412, 413, 422, 503: declare ",
        "alerts.yml is not current: run `make reference`",
        "dashboard.json is not current: run `make reference`",
    ],
)
def test_what_is_forgotten_is_told_with_what_to_do(told: str, says: str) -> None:
    """Each forgotten thing has a failing check, whose message is the next step."""
    assert says in told, told

"""``add`` in a service of the template that begins with nothing: all that it writes is complete."""

from pathlib import Path

from tests.template.developed import Developed
from tests.template.tutorial import ONE_OF_EACH


def test_an_empty_service_gets_one_of_everything(tmp_path: Path) -> None:
    """Its pages are formatted, its laws hold, and a command that is repeated is refused."""
    service = Developed(tmp_path / "lending", "lending")
    service.make({"name": "Lending", "example": "none"})
    for line in ONE_OF_EACH:
        service.run(line)
    own = "application/lending infrastructure/lending tests/lending domain"
    service.run(f".venv/bin/ruff check {own}")
    service.run(f".venv/bin/ruff format --check {own}")
    service.run(
        ".venv/bin/pytest tests/lending -m 'not slow' --deselect tests/lending/test_running.py"
    )

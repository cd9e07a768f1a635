"""The library as its reader starts it: the requests of the page *Your own service*."""

import sys
from pathlib import Path

from infrastructure.library.program import LibrarySettings
from tests.e2e.command_line import CommandLine, until

LIBRARY = CommandLine((sys.executable, "-m", "infrastructure.library"), LibrarySettings)


def test_a_copy_is_lent_and_found_in_a_service_that_runs(tmp_path: Path) -> None:
    """On servers of its own: lend, look, and see what has happened in the stream."""
    with LIBRARY.running(tmp_path / "home") as service:
        lent = service.post("/copies/emma-1/loan", {"reader": "ada"})
        assert (lent.status_code, lent.json()["events"]) == (200, ["Lent"])
        until(lambda: service.get("/copies/emma-1").get("reader") == "ada", service)
        assert "Lent" in LIBRARY.run(tmp_path / "home", "stream", "loan-emma-1").stdout

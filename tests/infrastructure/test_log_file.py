"""One log file of several processes."""

import logging
from pathlib import Path

from infrastructure.log_file import Shared


def line(handler: Shared, text: str) -> None:
    handler.handle(logging.makeLogRecord({"msg": text}))


def test_two_processes_lose_no_line_when_the_file_is_full(tmp_path: Path) -> None:
    """Whichever finds it full renames it, once; the other goes on in the new file."""
    file = tmp_path / "log"
    one, other = Shared(file, most=100, kept=50), Shared(file, most=100, kept=50)
    written = [f"line {number:03} of {number % 2}" for number in range(200)]
    for number, text in enumerate(written):
        line(other if number % 2 else one, text)

    files = sorted(tmp_path.iterdir(), key=lambda path: -int(path.suffix[1:] or 0))
    assert len(files) > 10
    assert [text for path in files for text in path.read_text().splitlines()] == written
    assert all(path.stat().st_size < 200 for path in files)


def test_old_files_are_bounded(tmp_path: Path) -> None:
    """The oldest one goes when there are as many as are kept."""
    handler = Shared(tmp_path / "log", most=10, kept=2)
    for number in range(20):
        line(handler, f"line {number:03}")

    assert {path.name for path in tmp_path.iterdir()} == {"log", "log.1", "log.2"}
    assert (tmp_path / "log").read_text().endswith("line 019\n")

"""What happens before any command of the command line."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.cli.process import UsageError, prepare_process


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """Leave the process as it was."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_arguments_are_composed_but_for_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A country is found however it is spelt; a file is found under its own name only."""
    monkeypatch.chdir(tmp_path)
    Path("cafe\u0301.csv").touch()

    assert prepare_process(["--country", "Me\u0301xico", "cafe\u0301.csv"]) == [
        *("--country", "México", "cafe\u0301.csv")
    ]


def test_an_argument_that_is_no_text_is_refused() -> None:
    """Bytes that are no UTF-8 come as half characters."""
    with pytest.raises(UsageError, match="not UTF-8"):
        prepare_process(["a\udcffb"])


def test_what_is_written_is_for_its_user_alone(tmp_path: Path) -> None:
    """Files and directories of this process and of its children."""
    prepare_process([])
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()

    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}

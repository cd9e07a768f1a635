"""``headwater import`` and ``headwater stream`` without a running service."""

import json
from pathlib import Path

import pytest

from tests.shop.e2e.cli import cli, refusal

HISTORY = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
C536366,85123A,WHITE HOLDER,-2,2010-12-02 08:26:00,2.55,17850,United Kingdom
536367,85123A,WHITE HOLDER,many,2010-12-01 08:26:00,2.55,17850,United Kingdom
"""


def test_an_import_is_reported_and_can_be_repeated(tmp_path: Path) -> None:
    """The report adds up, on paper and as JSON; a second time nothing changes in the store."""
    home, file, report = (tmp_path / name for name in ("home", "history.csv", "report.json"))
    file.write_text(HISTORY)

    streams = []
    for _ in range(2):
        ended = cli(home, "import", str(file), "--report", str(report))
        assert ended.returncode == 0, ended.stderr
        assert "3 lines read" in ended.stdout
        told = json.loads(report.read_text())
        assert (told["lines"], told["imported"], told["matched"], told["rejected"]) == (3, 1, 1, 1)
        streams.append(cli(home, "stream", "order-536365", "--json").stdout)

    assert streams[0] == streams[1]
    placed, returned = map(json.loads, streams[0].splitlines())
    assert (placed["type"], returned["type"]) == ("OrderPlaced", "LinesReturned")
    assert placed["metadata"]["actor"] == "import"
    backwards = cli(home, "stream", "order-536365", "--backwards", "--limit", "1")
    assert backwards.stdout.startswith("1  LinesReturned  2010-12-02T08:26:00Z  by import")
    story = cli(home, "order", "536365").stdout
    assert "2010-12-02 08:26:00Z  LinesReturned  order-536365@1  by import" in story
    entries = json.loads(cli(home, "order", "536365", "--json").stdout)["entries"]
    assert ("returned.1", None, 2) in [tuple(one.values()) for one in entries[1]["changes"]]
    assert "there is no order 1" in refusal(cli(home, "order", "1"), 1)


@pytest.mark.parametrize(
    ("content", "told"), [(None, "No such file"), ("a,b\n1,2\n", "InvoiceNo,StockCode")]
)
def test_a_file_that_is_no_history_is_refused(
    tmp_path: Path, content: str | None, told: str
) -> None:
    """One line that says what it is instead, exit code 1, and nothing is started."""
    file = tmp_path / "history.csv"
    if content is not None:
        file.write_text(content)

    assert told in refusal(cli(tmp_path / "home", "import", str(file)), 1)
    assert not (tmp_path / "home").exists()


def test_an_unknown_stream_is_said_to_be_unknown(tmp_path: Path) -> None:
    """Exit code 1, whether there is no such stream or no data at all. No empty store is started."""
    home = tmp_path / "home"
    assert "start `run` first" in refusal(cli(home, "stream", "order-1"), 1)
    home.mkdir()
    assert "start `run` first" in refusal(cli(home, "stream", "order-1"), 1)
    assert not [file for file in home.iterdir() if file.is_dir()]
    assert cli(home, "import", str(_history(tmp_path))).returncode == 0
    assert "order-1" in refusal(cli(home, "stream", "order-1"), 1)


def _history(directory: Path) -> Path:
    file = directory / "history.csv"
    file.write_text(HISTORY)
    return file

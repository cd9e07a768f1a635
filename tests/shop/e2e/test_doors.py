"""What a service lets out: nothing that acts on a terminal, no file that others can read."""

from pathlib import Path

import httpx
import pytest

from tests.shop.e2e.cli import PATIENCE, cli, refusal, running, until

NASTY = "red\x1b[2J\x9b31m\nHEART\u202e[bold]"
SHOWN = r"31m\nHEART\u202e[bold]"
ORDER = {
    "customer_id": "nasty",
    "country": NASTY,
    "lines": [
        {"sku": "N-1", "description": NASTY, "quantity": 1, "unit_price": "2.50 GBP"},
        {"sku": "N-2", "description": "x" * 200, "quantity": 1, "unit_price": "2.50 GBP"},
    ],
}


def readable_by_others(home: Path) -> list[str]:
    """Files and sockets that somebody else could open, by a way through their directories."""
    found, ways = [], [home]
    while ways:
        for path in ways.pop().iterdir():
            mode = path.lstat().st_mode
            if mode & 0o077 and not path.is_symlink():
                found.append(f"{path.relative_to(home)} {mode:o}")
            if path.is_dir() and mode & 0o077:
                ways.append(path)
    return found


def test_what_customers_wrote_does_nothing_to_the_terminal_of_an_operator(tmp_path: Path) -> None:
    """Every command that shows an order shows it on one line, and its files are its user's."""
    home = tmp_path / "home"
    with running(home) as service:
        service.wait_for_welcome()
        placed = service.post("/orders", ORDER)
        order = placed.headers["Location"].removeprefix("/orders/")
        shown = f"{service.url}/products?words=red"
        until(lambda: httpx.get(shown, timeout=PATIENCE).json()["products"] != [], service)
        for arguments in (
            ["products", "heart", "red"],
            ["orders", order],
            ["orders", "--customer", "nasty"],
            ["sales", "--from", "2026-01-01"],
            ["customers", "nasty", "--orders"],
            ["stream", f"order-{order}"],
        ):
            said = cli(home, *arguments).stdout
            assert not set(said) & set("\x1b\x9b\u202e"), (arguments, said)
            assert SHOWN in said or arguments[:2] == ["orders", "--customer"], (arguments, said)
            told = cli(home, *arguments, "--json").stdout
            assert not set(told) & set("\x1b\x9b\u202e"), (arguments, told)
            assert r"red\u001b[2J\u009b31m\nHEART\u202e[bold]" in told, (arguments, told)
        assert readable_by_others(home) == []


@pytest.mark.parametrize(
    "arguments", [[b"orders", b"\xff"], [b"stream", b"order-\xff"], [b"import", b"\xff.csv"]]
)
def test_an_argument_that_is_no_text_gets_a_sentence(
    tmp_path: Path, arguments: list[bytes]
) -> None:
    """Bytes that are no UTF-8 are refused, never a traceback."""
    ended = cli(tmp_path / "home", *arguments)  # type: ignore[arg-type]

    assert ended.returncode == 2
    assert "is not UTF-8" in ended.stderr
    assert "Traceback" not in ended.stderr


HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def test_the_history_is_imported_as_it_is_mostly_offered(tmp_path: Path) -> None:
    """American dates and Windows' encoding are found, said, and read."""
    file = tmp_path / "data.csv"
    row = "536365,71053,CAFÉ £5,6,12/1/2010 8:26,3.39,17850,United Kingdom"
    file.write_bytes(f"{HEADER}\r\n{row}\r\n".encode("windows-1252"))

    ended = cli(tmp_path / "home", "import", str(file))
    assert ended.returncode == 0, ended.stderr
    assert "is read as windows-1252, month-first dates, commas" in ended.stdout
    assert "1 imported: 1 lines of 1 orders worth 20.34 GBP" in ended.stdout

    shown = cli(tmp_path / "home", "stream", "order-536365").stdout
    assert "CAFÉ £5" in shown
    assert "2010-12-01T08:26:00" in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER, "no line of"),
        (f"{HEADER}\n536365,71053,X,6,yesterday,3.39,17850,France\n", "no line of"),
        ("", "is empty"),
        ("a,b\n1,2\n", "its first line should be"),
        ("PK\x03\x04", "is a spreadsheet"),
        (None, "is no file"),
    ],
    ids=["header alone", "no line is right", "empty", "columns", "spreadsheet", "directory"],
)
def test_an_import_that_brings_nothing_in_fails(
    tmp_path: Path, content: str | None, said: str
) -> None:
    """Exit code 1 and a sentence; a script does not go on as if all were there."""
    file = tmp_path / "data.csv"
    file.mkdir() if content is None else file.write_text(content)

    assert said in refusal(cli(tmp_path / "home", "import", str(file)), 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["stream", "order-1", "--limit", "9" * 20],
        ["simulate", "--fault-rate", "nan"],
        ["parked", "replay", "--all", "--rate", "nan"],
        ["node", "--port", "9" * 20],
        ["\x1b[2J"],
    ],
    ids=" ".join,
)
def test_an_argument_that_makes_no_sense_gets_a_sentence(
    tmp_path: Path, arguments: list[str]
) -> None:
    """Exit code 2, nothing raw on the terminal, and never a traceback."""
    home = tmp_path / "home"
    home.mkdir()
    ended = cli(home, *arguments)

    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "\x1b" not in ended.stderr

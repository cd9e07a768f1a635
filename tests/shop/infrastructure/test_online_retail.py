"""Order histories in files: plain, zipped, damaged. Only what cannot be read is left out."""

import gzip
import os
from hashlib import sha256
from pathlib import Path

import pytest

from application.shop.importing.rows import COLUMNS
from infrastructure.shop.online_retail import SAMPLE, Dates, Encoding, History, NotAHistory

HEADER = (",".join(COLUMNS) + "\n").encode()
FIELDS = ["536365", "71053", "WHITE METAL LANTERN", "6", "2010-12-01 08:26:00", "3.39", "", ""]
ROW = (",".join(FIELDS) + "\n").encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def written(path: Path, content: bytes) -> History:
    path.write_bytes(content)
    return History(path)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_history_is_plain_or_gzip_whatever_its_name(path: Path, zipped: bool) -> None:
    """Its first bytes say which, and it can be read again and again."""
    content = HEADER + ROW + ROW
    lines = written(path, gzip.compress(content) if zipped else content)

    assert [line.fields for line in lines] == [FIELDS, FIELDS]
    assert [line.number for line in lines] == [2, 3]


def test_line_ends_of_any_system_will_do(path: Path) -> None:
    """A byte order mark, carriage returns, and a last line without an end are no faults."""
    content = b"\xef\xbb\xbf" + (HEADER + ROW + ROW).replace(b"\n", b"\r\n").removesuffix(b"\r\n")

    assert [line.fields for line in written(path, content)] == [FIELDS, FIELDS]


def test_a_quoted_field_holds_commas_and_quotes(path: Path) -> None:
    """As CSV has it: a quote inside of quotes is doubled."""
    row = ROW.replace(b"WHITE METAL LANTERN", b'"DECOUPAGE,""GREETING"" CARD,"')

    (line,) = written(path, HEADER + row)

    assert line.fields[2] == 'DECOUPAGE,"GREETING" CARD,'


@pytest.mark.parametrize(
    "broken",
    [
        ROW.replace(b"WHITE", b"WHI\xffTE"),
        ROW.replace(b"WHITE", b"WHI\0TE"),
        ROW.replace(b"WHITE", b'"WHITE'),
        ROW.replace(b"WHITE", b'"WHITE" x"'),
        ROW.replace(b"WHITE", b"x" * 200_000),
        b"\n",
    ],
    ids=["not UTF-8", "NUL", "open quote", "quote out of place", "no end", "empty"],
)
def test_a_line_that_cannot_be_read_is_one_fault(path: Path, broken: bytes) -> None:
    """It is counted and named, and the lines after it are read as if nothing had been."""
    before, fault, after = written(path, HEADER + ROW + broken + ROW)

    assert before.fields == after.fields == FIELDS
    assert (before.number, fault.number, after.number) == (2, 3, 4)
    assert fault.fault
    assert not fault.fields


def test_a_gzip_file_that_was_cut_off_is_read_up_to_there(path: Path) -> None:
    """All whole lines, then one that says so: wherever the cut is."""
    rows = b"".join(ROW.replace(b"536365", b"%d" % number) for number in range(2000))
    zipped = gzip.compress(HEADER + rows)

    for cut in (len(zipped) // 2, len(zipped) - 9, len(zipped) - 1):
        *whole, last = written(path, zipped[:cut])

        assert last.cut_off
        assert last.number == len(whole) + 2
        assert [line.fields[0] for line in whole] == [str(number) for number in range(len(whole))]


def test_damage_within_a_gzip_file_is_where_it_breaks_off(path: Path) -> None:
    """A wrong bit is found by the checksum at the end, if not before."""
    damaged = bytearray(gzip.compress(HEADER + ROW * 1000))
    damaged[-8] ^= 1

    *_, last = written(path, bytes(damaged))

    assert last.cut_off


@pytest.mark.parametrize(
    "content",
    [
        *(
            b"",
            ROW,
            HEADER.replace(b",", b"|"),
            HEADER.rpartition(b",")[0],
            b"\x1f\x8b",
            b"\xff" * 9,
        ),
        *(b"PK\x03\x04", HEADER.decode().encode("utf-16"), bytes(range(256)) * 100),
    ],
    ids=[
        *("empty", "no header", "bars", "a column less", "nearly gzip", "no text"),
        *("spreadsheet", "UTF-16", "binary"),
    ],
)
def test_what_is_no_history_is_told_before_anything_is_read(path: Path, content: bytes) -> None:
    """The message names the file, and the columns unless it cannot be opened at all."""
    with pytest.raises(NotAHistory, match=r"history\.csv .*(InvoiceNo,StockCode|damaged gzip)"):
        written(path, content)


ISO_1_DECEMBER, ISO_12_JANUARY = "2010-12-01 08:26:00", "2010-01-12 08:26:00"


def form(path: Path, *rows: bytes, header: bytes = HEADER) -> str:
    return str(written(path, header + b"".join(rows)).form)


def row(moment: str, description: str = "LANTERN", encoding: str = "utf-8") -> bytes:
    fields = [*FIELDS[:2], description, FIELDS[3], moment, *FIELDS[5:]]
    return (",".join(fields) + "\n").encode(encoding)


def test_a_file_tells_its_form_by_itself(path: Path) -> None:
    """Its encoding, the order of its dates, and what stands between its columns."""
    assert form(path, ROW) == "utf-8, iso dates, commas"
    assert form(path, row("12/1/2010 8:26")) == "utf-8, month-first dates, commas"
    assert form(path, row("12/1/2010 8:26"), row("12/31/2010 8:26")).startswith(
        "utf-8, month-first"
    )
    assert form(path, row("1/12/2010 8:26"), row("31/12/2010 8:26")).startswith("utf-8, day-first")
    assert form(path, row("01.12.2010 08:26")) == "utf-8, day-first dates, commas"
    windows = row(ISO_1_DECEMBER, "CAFÉ £5 “SET”", "windows-1252")
    assert form(path, ROW, windows).startswith("windows-1252")
    assert form(path, row(ISO_1_DECEMBER, "CAFÉ"), windows).startswith("utf-8"), "damage, then"
    assert form(path, ROW, ROW.replace(b"W", b"\x81")).startswith("utf-8"), "no letter at all"


@pytest.mark.parametrize(
    ("moment", "dates", "read"),
    [
        ("12/1/2010 8:26", None, ISO_1_DECEMBER),
        ("12/1/2010 8:26", Dates.DAY_FIRST, ISO_12_JANUARY),
        ("01/12/2010 08:26:00", Dates.DAY_FIRST, ISO_1_DECEMBER),
        ("01.12.2010 08:26", None, ISO_1_DECEMBER),
        ("12/1/10 8:26", None, "12/1/10 8:26"),
    ],
)
def test_dates_of_any_order_are_read(
    path: Path, moment: str, dates: Dates | None, read: str
) -> None:
    """As the file looks, or as a person says; what is no date is left for the report."""
    path.write_bytes(HEADER + row(moment))

    assert [line.fields[4] for line in History(path, dates=dates)] == [read]


def test_text_of_windows_is_read(path: Path) -> None:
    """Letters and typographic quotes come out as they were meant, composed."""
    path.write_bytes(HEADER + row(ISO_1_DECEMBER, "CAFÉ “£”", "windows-1252"))

    assert [line.fields[2] for line in History(path)] == ["CAFÉ “£”"]
    assert [line.fault for line in History(path, Encoding.UTF_8)] == ["a line is UTF-8"]
    assert written(path, HEADER + row(ISO_1_DECEMBER, "CAFE\u0301")).form.encoding == "utf-8"
    assert [line.fields[2] for line in History(path)] == ["CAFÉ"]


def test_a_file_of_a_spreadsheet_is_read(path: Path) -> None:
    """Semicolons, decimal commas, and the column names of the second edition."""
    header = b"Invoice;StockCode;Description;Quantity;InvoiceDate;Price;Customer ID;Country\r\n"
    line = b'536365;71053;"WHITE; METAL";6;01.12.2010 08:26;3,39;17850;France\r\n'

    (read,) = written(path, header + line)

    assert read.fields == [
        *("536365", "71053", "WHITE; METAL", "6", ISO_1_DECEMBER, "3.39", "17850", "France")
    ]


def test_what_cannot_be_read_twice_is_refused(tmp_path: Path) -> None:
    """A directory, a pipe: the survey and the import both read it."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(NotAHistory, match="is no file"):
            History(path)
    with pytest.raises(FileNotFoundError):
        History(tmp_path / "none.csv")


def test_the_sample_is_the_published_one() -> None:
    """Its checksum stands beside it, with the attribution that its licence asks for."""
    attribution = SAMPLE.with_name("ATTRIBUTION.md").read_text()

    assert sha256(SAMPLE.read_bytes()).hexdigest() in attribution
    assert "Licensed under CC BY 4.0" in attribution

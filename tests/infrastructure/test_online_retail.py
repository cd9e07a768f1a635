"""Order histories in files: plain, zipped, damaged. Only what cannot be read is left out."""

import gzip
from hashlib import sha256
from pathlib import Path

import pytest

from application.importing.rows import COLUMNS
from infrastructure.online_retail import SAMPLE, History, NotAHistory

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
    [b"", ROW, HEADER.replace(b",", b";"), HEADER.rpartition(b",")[0], b"\x1f\x8b", b"\xff" * 9],
    ids=["empty", "no header", "semicolons", "a column less", "nearly gzip", "no text"],
)
def test_what_is_no_history_is_told_before_anything_is_read(path: Path, content: bytes) -> None:
    """The message names the file, and the columns unless it cannot be opened at all."""
    with pytest.raises(NotAHistory, match=r"history\.csv .*(InvoiceNo,StockCode|damaged gzip)"):
        written(path, content)


def test_the_sample_is_the_published_one() -> None:
    """Its checksum stands beside it, with the attribution that its licence asks for."""
    attribution = SAMPLE.with_name("ATTRIBUTION.md").read_text()

    assert sha256(SAMPLE.read_bytes()).hexdigest() in attribution
    assert "Licensed under CC BY 4.0" in attribution

"""An order history in a file: CSV with the columns of UCI Online Retail, plain or gzip.

One line is one row. A quoted field that is not closed on its line is a fault of that line only, so
that a stray quote does not cost the rest of the file. The same holds for bytes that are not text.
"""

import csv
import gzip
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path
from typing import Final

from application.shop.importing.rows import COLUMNS, FileLine
from domain.values import normal
from infrastructure.shop.online_retail.form import (
    CANONICAL,
    Dates,
    Encoding,
    Form,
    delimiter_of,
    looked_at,
)

LONGEST: Final = 64 * 1024  # bytes of a line; a real one has about 80
_GZIP: Final = b"\x1f\x8b"
_DAMAGE: Final = (EOFError, gzip.BadGzipFile, zlib.error)
_OTHER_KINDS: Final = {
    b"PK": "a spreadsheet, or another zip file: save it as CSV",
    BOM_UTF16_LE: "UTF-16: save it as CSV in UTF-8",
    BOM_UTF16_BE: "UTF-16: save it as CSV in UTF-8",
    b"%PDF": "a PDF: save it as CSV",
    b"SQLite": "a database: save it as CSV",
}


class NotAHistory(ValueError):
    """The file is not an order history. The message says why, and what would be right."""


class History:
    """The lines of one file; every iteration reads it from the beginning."""

    def __init__(
        self, path: Path, encoding: Encoding | None = None, dates: Dates | None = None
    ) -> None:
        """Detects what is not given; ``form`` has the result.

        Raises :class:`NotAHistory` for a file without the header, and ``OSError``.
        """
        self._path = path
        if path.exists() and not path.is_file():
            raise NotAHistory(f"{path} is no file, which can be read more than once")
        with self._open() as file:
            self.form = Form(delimiter=_delimiter(path, file))
            if encoding is None or dates is None:
                self.form = looked_at(_lines(file), self.form)
        self.form = replace(
            self.form, encoding=encoding or self.form.encoding, dates=dates or self.form.dates
        )

    @property
    def is_canonical(self) -> bool:
        """Whether it has the usual form: UTF-8, ISO dates, commas."""
        return self.form == CANONICAL

    def __iter__(self) -> Iterator[FileLine]:
        """Each line after the header; one more with the fault if damage ends the file early."""
        number = 1
        with self._open() as file:
            try:
                file.readline()
                while raw := file.readline(LONGEST):
                    number += 1
                    whole = raw if raw.endswith(b"\n") else raw + _rest(file)
                    yield _line(number, whole, self.form)
            except _DAMAGE as damage:
                yield FileLine(number + 1, [], f"the file breaks off: {damage}", cut_off=True)

    def _open(self) -> BufferedIOBase:
        with self._path.open("rb") as file:
            zipped = file.read(len(_GZIP)) == _GZIP
        return gzip.open(self._path) if zipped else self._path.open("rb")


def _delimiter(path: Path, file: BufferedIOBase) -> str:
    """Of the columns of the header. Raises :class:`NotAHistory`."""
    expected = f"its first line should be {','.join(COLUMNS)}"
    try:
        first = file.readline(LONGEST)
    except _DAMAGE as damage:
        raise NotAHistory(f"{path} is a damaged gzip file: {damage}") from damage
    if not first:
        raise NotAHistory(f"{path} is empty; {expected}")
    for start, kind in _OTHER_KINDS.items():
        if first.startswith(start):
            raise NotAHistory(f"{path} is {kind}; {expected}")
    shown = first.removeprefix(BOM_UTF8).decode(errors="replace").rstrip()
    if delimiter := delimiter_of(shown):
        return delimiter
    raise NotAHistory(f"{path} begins with {shown[:120]!r}; {expected}")


def _lines(file: BufferedIOBase) -> Iterator[bytes]:
    """What can be read of the rest."""
    with suppress(*_DAMAGE):
        while raw := file.readline(LONGEST):
            yield raw


def _rest(file: BufferedIOBase) -> bytes:
    """What makes a line too long: a little of it, the remainder is skipped."""
    rest = part = file.readline(LONGEST)
    while part and not part.endswith(b"\n"):
        part = file.readline(LONGEST)
    return rest


def _line(number: int, raw: bytes, form: Form) -> FileLine:
    if len(raw) > LONGEST:
        return FileLine(number, [], f"a line has {LONGEST:,} bytes at most")
    try:
        text = raw.decode(form.encoding).rstrip("\r\n")
    except UnicodeDecodeError:
        return FileLine(number, [], f"a line is {form.encoding.upper()}")
    if not text:
        return FileLine(number, [], "the line is empty")
    if "\0" in text:
        return FileLine(number, [], "a line has no NUL characters")
    text = normal(text)
    if '"' not in text:
        return FileLine(number, form.canonical(text.split(form.delimiter)))
    try:
        fields = next(csv.reader([text], strict=True, delimiter=form.delimiter))
    except csv.Error:
        return FileLine(number, [], "a quoted field ends with its quote, on the same line")
    return FileLine(number, form.canonical(fields))

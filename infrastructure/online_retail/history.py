"""An order history in a file: CSV in the form of UCI Online Retail, plain or gzip.

One line is one row. A quoted field that is not closed on its line is a fault of that line, so a
stray quote costs one row and not the rest of the file; the same goes for bytes that are no text.
"""

import csv
import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

from application.importing.rows import COLUMNS, Line

LONGEST = 64 * 1024  # bytes of a line; a real one has about 80
_GZIP = b"\x1f\x8b"
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)


class NotAHistory(ValueError):
    """The file is no order history; the message says what it is, and what would be right."""


class History:
    """The lines of one file; every iteration reads it from the beginning."""

    def __init__(self, path: Path) -> None:
        """Raises :class:`NotAHistory` for a file without the header, ``OSError``."""
        self._path = path
        with self._open() as file:
            _require_header(path, file)

    def __iter__(self) -> Iterator[Line]:
        """Each line after the header. Where damage ends the file early, one more says so."""
        number = 1
        with self._open() as file:
            try:
                file.readline()
                while raw := file.readline(LONGEST):
                    number += 1
                    yield _line(number, raw if raw.endswith(b"\n") else raw + _rest(file))
            except _DAMAGE as damage:
                yield Line(number + 1, [], f"the file breaks off: {damage}", cut_off=True)

    def _open(self) -> BufferedIOBase:
        with self._path.open("rb") as file:
            zipped = file.read(len(_GZIP)) == _GZIP
        return gzip.open(self._path) if zipped else self._path.open("rb")


def _require_header(path: Path, file: BufferedIOBase) -> None:
    expected = f"its first line should be {','.join(COLUMNS)}"
    try:
        first = file.readline(LONGEST).removeprefix(BOM_UTF8)
    except _DAMAGE as damage:
        raise NotAHistory(f"{path} is a damaged gzip file: {damage}") from damage
    if not first:
        raise NotAHistory(f"{path} is empty; {expected}")
    if _line(1, first).fields != list(COLUMNS):
        shown = first[:120].decode(errors="replace").rstrip()
        raise NotAHistory(f"{path} begins with {shown!r}; {expected}")


def _rest(file: BufferedIOBase) -> bytes:
    """What makes a line too long: a little of it, the remainder is skipped."""
    rest = part = file.readline(LONGEST)
    while part and not part.endswith(b"\n"):
        part = file.readline(LONGEST)
    return rest


def _line(number: int, raw: bytes) -> Line:
    if len(raw) > LONGEST:
        return Line(number, [], f"a line has {LONGEST:,} bytes at most")
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return Line(number, [], "a line is UTF-8")
    if not text:
        return Line(number, [], "the line is empty")
    if "\0" in text:
        return Line(number, [], "a line has no NUL characters")
    if '"' not in text:
        return Line(number, text.split(","))
    try:
        return Line(number, next(csv.reader([text], strict=True)))
    except csv.Error:
        return Line(number, [], "a quoted field ends with its quote, on the same line")

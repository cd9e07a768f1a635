"""The form of a file: its encoding, its separator and its dates.

UCI offers the history as a spreadsheet, so it exists as CSV in many forms: in UTF-8 or
Windows-1252, with dates in British, American or ISO order, with commas or semicolons. The form is
detected, and can be given.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from application.shop.importing.rows import COLUMNS


class Encoding(StrEnum):
    UTF_8 = "utf-8"
    WINDOWS = "windows-1252"
    LATIN_1 = "latin-1"


class Dates(StrEnum):
    """In which order a date is written."""

    ISO = "iso"  # 2010-12-01 08:26:00
    MONTH_FIRST = "month-first"  # 12/1/2010 8:26
    DAY_FIRST = "day-first"  # 1/12/2010 8:26, 01.12.2010 08:26


@dataclass(frozen=True)
class Form:
    """How a file is to be read."""

    encoding: Encoding = Encoding.UTF_8
    dates: Dates = Dates.ISO
    delimiter: str = ","

    def __str__(self) -> str:
        named = {",": "commas", ";": "semicolons", "\t": "tabs"}[self.delimiter]
        return f"{self.encoding}, {self.dates} dates, {named}"

    def canonical(self, fields: list[str]) -> list[str]:
        """The fields with ISO dates and decimal points; what is not a date stays as it is."""
        if len(fields) != len(COLUMNS):
            return fields
        if self.dates is not Dates.ISO:
            fields[_DATE] = _iso(fields[_DATE], self.dates)
        if self.delimiter == ";":
            fields[_PRICE] = _COMMA.sub(r"\1.\2", fields[_PRICE])
        return fields


CANONICAL: Final = Form()
_DATE, _PRICE = COLUMNS.index("InvoiceDate"), COLUMNS.index("UnitPrice")
_COMMA: Final = re.compile(r"^(-?[0-9]+),([0-9]+)$")
_WRITTEN: Final = re.compile(
    r"([0-9]{1,2})([/.])([0-9]{1,2})\2([0-9]{4}) ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
)
_FOUND: Final = re.compile(rb"(?:^|[,;\t\"])([0-9]{1,2})([/.])([0-9]{1,2})\2[0-9]{4} [0-9]{1,2}:")
_RARE: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d\xff]")
"""Codes without a letter in Windows-1252, and one that is never used: signs of damage."""
_NAMES: Final = {"invoice": "InvoiceNo", "price": "UnitPrice"}  # as the second edition calls them
_KNOWN: Final = {name.lower(): name for name in COLUMNS} | _NAMES


def delimiter_of(header: str) -> str | None:
    """The separator of its columns; ``None`` for a line that is not the header of a history."""
    for delimiter in (",", ";", "\t"):
        names = [name.strip().strip('"') for name in header.rstrip("\r\n").split(delimiter)]
        known = [_KNOWN.get(name.replace(" ", "").lower()) for name in names]
        if known == list(COLUMNS):
            return delimiter
    return None


def looked_at(lines: Iterable[bytes], form: Form) -> Form:
    """The form with the encoding and dates that these lines show."""
    utf_8 = other = damaged = False
    first = second = 0
    dotted = False
    for line in lines:
        if not line.isascii():
            is_utf_8 = _is_utf_8(line)
            utf_8, other = utf_8 or is_utf_8, other or not is_utf_8
            damaged = damaged or (not is_utf_8 and _RARE.search(line) is not None)
        if found := _FOUND.search(line):
            first, second = max(first, int(found[1])), max(second, int(found[3]))
            dotted = dotted or found[2] == b"."
    if other and not utf_8 and not damaged:
        form = replace(form, encoding=Encoding.WINDOWS)
    if first:
        by_day = (first > 12 or dotted) and second <= 12
        form = replace(form, dates=Dates.DAY_FIRST if by_day else Dates.MONTH_FIRST)
    return form


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _iso(text: str, dates: Dates) -> str:
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return text
    first, _, second, year, hour, minute, seconds = found.groups(default="00")
    month, day = (first, second) if dates is Dates.MONTH_FIRST else (second, first)
    return f"{year}-{month:0>2}-{day:0>2} {hour:0>2}:{minute}:{seconds}"

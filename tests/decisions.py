"""The decision records in ``docs/adr``: what the head of each page says of it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).parent.parent / "docs/adr"

PAIRS: Final = {"Supersedes": "Superseded by", "Amends": "Amended by"}
"""What a later decision says of an earlier one, and what the earlier one says in return."""

_TITLE: Final = re.compile(r"# (\d{4}) · (.+)\n\n")
_FIELD: Final = re.compile(r"- \*\*([^*]+)\*\*: (.+)\n")
_LINK: Final = re.compile(r"\[(\d{4})\]\(\S+\)")
_KINDS: Final = {**PAIRS, **{back: kind for kind, back in PAIRS.items()}}


@dataclass(frozen=True)
class Relation:
    """``kind`` is a key or a value of :data:`PAIRS`; ``decision`` is the number of the other."""

    kind: str
    decision: str

    @property
    def returned(self) -> str:
        """The kind of the relation that the other decision has to this one."""
        return _KINDS[self.kind]


@dataclass(frozen=True)
class Decision:
    """One page. A field that it lacks is empty."""

    file: str
    number: str
    title: str
    status: str
    date: str
    relations: Collection[Relation]

    @property
    def row(self) -> str:
        """Its line in the table of ``docs/adr/README.md``."""
        return f"| [{self.number}]({self.file}) | {self.title} | {self.status} | {self.date} |"


def decisions() -> dict[str, Decision]:
    """All decisions by their number. Raises ``ValueError`` for a page that cannot be read."""
    return {page.name[:4]: _read(page) for page in sorted(DIRECTORY.glob("0*.md"))}


def _read(page: Path) -> Decision:
    text = page.read_text()
    if not (title := _TITLE.match(text)) or title[1] != page.name[:4]:
        raise ValueError(f"{page.name} does not begin with '# {page.name[:4]} · <title>'")
    head = text[title.end() :].partition("\n\n")[0] + "\n"
    fields = _FIELD.findall(head)
    relations = [field for field in fields if field[0] not in ("Status", "Date")]
    return Decision(
        file=page.name,
        number=title[1],
        title=title[2],
        status=dict(fields).get("Status", ""),
        date=dict(fields).get("Date", ""),
        relations=[_relation(page, *field) for field in relations],
    )


def _relation(page: Path, kind: str, value: str) -> Relation:
    if kind not in _KINDS:
        raise ValueError(f"{page.name}: {kind!r} is not one of {', '.join(_KINDS)}")
    if not (link := _LINK.match(value)):
        raise ValueError(f"{page.name}: {kind} needs a link, such as [0001](0001-….md)")
    return Relation(kind, link[1])

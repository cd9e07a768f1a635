"""Pages of the documentation: what shows something of a feature belongs to the feature by itself.

A sentence, an item, a row, a column of a table or a block of code goes alone; a section, once all
of it goes; a page, once all of its sections go, or its title names the feature. A decision goes as
a whole when its title names a feature or it shows code of one. A link to a page that is gone
becomes text. What leads to something goes with it: a colon with its list, a title with its text.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise, takewhile
from typing import Final

from tests.template.blocks import Block, blocks, sentences
from tests.template.combinations import lacking
from tests.template.conditions import both
from tests.template.markers import Piece, merged
from tests.template.mentions import LINK, Mentions
from tests.template.tree import Entry

Conditions = frozenset[str]
ALWAYS: Final[Conditions] = frozenset()

OF_CHOICES: Final = "docs/how-to/change-the-adapters.md"
"""On how to change the answers: it names all choices, also those that a service has not made."""

_DECISION: Final = re.compile(r"docs/adr/\d")
_LABEL: Final = re.compile(r"(?:- |\d+\. )?\*\*[^*]+\*\*:?\s*")
_CELL: Final = re.compile(r"[^|]*\|")


@dataclass(frozen=True)
class Span:
    """A part of a page, from one character to another, and on which conditions it stays."""

    start: int
    end: int
    conditions: Conditions
    blank: bool = False
    """Whether it is only what stands between two sentences, or behind the last."""


def is_page(entry: Entry) -> bool:
    """Whether this holds for a file."""
    is_text = entry.path.endswith(".md") and bool(entry.parts)
    return is_text and not entry.form and entry.path != OF_CHOICES


def with_conditions(entry: Entry, mentions: Mentions) -> Entry:
    """The page, in which everything has the conditions of what it shows."""
    page = _Page(entry, mentions)
    spans = [*page.spans()]
    return replace(
        entry,
        conditions=entry.conditions | page.conditions(spans),
        parts=merged(_cut(entry.parts, [*spans, *page.links(entry.conditions)])),
    )


@dataclass(frozen=True)
class _Page:
    entry: Entry
    mentions: Mentions

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.entry.parts)

    @cached_property
    def _unmarked(self) -> str:
        """The text, with blanks in place of what has a marker: that says itself when it stays."""
        return "".join(
            " " * len(piece.text) if piece.conditions else piece.text for piece in self.entry.parts
        )

    def spans(self) -> Iterator[Span]:
        """What has conditions in it, apart from links."""
        tables = self._tables()
        found: list[tuple[Block, Conditions]] = []  # from the last: a colon leads to what follows
        for block in reversed(self._blocks()):
            around = Span(block.start, block.end, tables.get(block, ALWAYS))
            spans = [*self._of(block, _led_to(block, found)), around]
            found.insert(0, (block, _whole(block, spans) | self._marked(block.start, block.end)))
            yield from spans
        yield from self._columns()
        yield from _sections(found)
        yield from _gaps(found)

    def conditions(self, spans: Sequence[Span]) -> Conditions:
        """Those of the page as a whole."""
        if _DECISION.match(self.entry.path):
            return self._of_decision()
        first = next((span for span in spans if span.start == 0), None)
        title = first.conditions if first else ALWAYS
        contents = [
            _whole(block, spans)
            for block in self._blocks()
            if block.kind in ("paragraph", "item", "row", "code")
        ]
        return title | _either(contents)

    def links(self, known: Conditions) -> Iterator[Span]:
        """The ends of each link to a page that not every service has: its text stays."""
        for link in LINK.finditer(self.text):
            conditions = self.mentions.of_page(self.entry.path, link[2])
            if lacks := lacking(known, conditions):
                yield Span(link.start(), link.start(1), lacks)
                yield Span(link.end(1), link.end(), lacks)

    def _blocks(self) -> Sequence[Block]:
        return [*blocks(self.text)]

    def _marked(self, start: int, end: int) -> Conditions:
        """Those of the markers in a text, if all of it has some."""
        found, at = list[Conditions](), 0
        for piece in self.entry.parts:
            if piece.text[max(0, start - at) : max(0, end - at)].strip():
                found.append(frozenset(piece.conditions))
            at += len(piece.text)
        return _either(found)

    def _of(self, block: Block, led_to: Conditions) -> Iterator[Span]:
        match block.kind:
            case "heading" | "row":
                leads = self._leads(block.text) if block.kind == "row" else ALWAYS
                yield self._span(block.start, block.text, leads)
            case "item" | "paragraph":
                yield from self._sentences(block, led_to)
            case "code":
                yield from self._code(block)
            case "head" | "blank":
                pass

    def _sentences(self, block: Block, led_to: Conditions) -> Iterator[Span]:
        found = [*sentences(block)]
        spans = _with_label(found, [self._span(at, text.rstrip()) for at, text in found])
        spans[-1] = replace(spans[-1], conditions=spans[-1].conditions | led_to)
        start = "".join(text for _, text in found[: 2 if _LABEL.fullmatch(found[0][1]) else 1])
        if block.kind == "item" and (leads := spans[0].conditions | self._leads(start)):
            yield Span(block.start, block.end, leads)
        yield from spans
        yield from _blanks(spans, block.end)

    def _leads(self, text: str) -> Conditions:
        """The conditions of the page to which a row, or the start of an item, leads first."""
        link = LINK.search(text)
        return self.mentions.of_page(self.entry.path, link[2]) if link else ALWAYS

    def _code(self, block: Block) -> Iterator[Span]:
        lines = block.text.splitlines(keepends=True)
        if lines[0].startswith("<!-- from"):
            yield self._span(block.start, lines[0], span_of=block)
            return
        at, spans = block.start + len(lines[0]), list[Span]()
        for step in _steps(lines[1:-1]):
            spans.append(self._span(at, step, code=True))
            at += len(step)
        yield from spans
        yield Span(block.start, block.end, _either([span.conditions for span in spans]))

    def _tables(self) -> Mapping[Block, Conditions]:
        """The rows of each table whose head links a file: they speak of that file."""
        found: dict[Block, Conditions] = {}
        of_table: Conditions | None = None
        for block in self._blocks():
            if block.kind not in ("head", "row"):
                of_table = None
                continue
            if of_table is None:
                of_table = self.mentions.of_files(self.entry.path, block.text)
            found[block] = of_table
        return found

    def _columns(self) -> Iterator[Span]:
        """Cells under a heading that names one alternative, or has a marker."""
        columns: Sequence[Conditions] = ()
        for block in self._blocks():
            if block.kind not in ("head", "row"):
                columns = ()
                continue
            cells = [*_CELL.finditer(block.text, 1)]
            if not columns:
                columns = [self._of_heading(block, cell) for cell in cells]
            for cell, conditions in zip(cells, columns, strict=False):
                if conditions:
                    yield Span(block.start + cell.start(), block.start + cell.end(), conditions)

    def _of_heading(self, head: Block, cell: re.Match[str]) -> Conditions:
        marked = self._marked(head.start + cell.start(), head.start + cell.end() - 1)
        return self.mentions.of_words(cell[0]) | marked

    def _of_decision(self) -> Conditions:
        title = self.text.partition("\n")[0]
        return self.mentions.of(self.entry.path, f"{title}\n{_shown(self.text)}")

    def _span(
        self,
        start: int,
        text: str,
        also: Conditions = ALWAYS,
        *,
        span_of: Block | None = None,
        code: bool = False,
    ) -> Span:
        unmarked = self._unmarked[start : start + len(text)]
        text = unmarked if re.search(r"\w", unmarked) else text
        shown = f"```\n{text}\n```" if code else text
        conditions = self.mentions.of(self.entry.path, shown) | also
        conditions |= self._marked(start, start + len(unmarked))
        if span_of:
            return Span(span_of.start, span_of.end, conditions)
        return Span(start, start + len(unmarked), conditions)


def _blanks(spans: Sequence[Span], end: int) -> Iterator[Span]:
    """What separates two sentences goes with the second, or with all that stand before."""
    for at, (one, other) in enumerate(pairwise(spans), start=1):
        before = _either([span.conditions for span in spans[:at]])
        yield Span(one.end, other.start, before | other.conditions, blank=True)
    yield Span(spans[-1].end, end, _either([span.conditions for span in spans]), blank=True)


def _led_to(block: Block, following: Sequence[tuple[Block, Conditions]]) -> Conditions:
    """Of the list, the table or the code to which the last sentence leads."""
    if not block.text.rstrip().endswith(":"):
        return ALWAYS
    kinds = ("blank", "item", "head", "row", "code")
    led_to = takewhile(lambda one: one[0].kind in kinds, following)
    return _either([found for one, found in led_to if one.kind not in ("blank", "head")])


def _with_label(found: Sequence[tuple[int, str]], spans: Sequence[Span]) -> list[Span]:
    """Sentences, the first of which, if it is only a label, goes with all that follows it."""
    first, *others = spans
    if others and _LABEL.fullmatch(found[0][1]):
        behind = _either([span.conditions for span in others])
        first = replace(first, conditions=first.conditions | behind)
    return [first, *others]


def _shown(text: str) -> str:
    """The links of a page to anything but pages."""
    return "\n".join(link[0] for link in LINK.finditer(text) if not link[2].endswith(".md"))


def _steps(lines: Sequence[str]) -> Iterator[str]:
    """A command with its output, or a line with those that go on with it."""
    step = ""
    console = any(line.startswith("$ ") for line in lines)
    for line in lines:
        begins = line.startswith("$ ") if console else not step.rstrip("\n").endswith("\\")
        if step and begins:
            yield step
            step = ""
        step += line
    if step:
        yield step


def _whole(block: Block, spans: Sequence[Span]) -> Conditions:
    """What a block as a whole has: that of one span around it, or of all of its parts."""
    ends = (block.start, block.end)
    inside = [span for span in spans if block.start <= span.start and span.end <= block.end]
    around = frozenset().union(*(one.conditions for one in inside if (one.start, one.end) == ends))
    parts = [span for span in inside if (span.start, span.end) != ends]
    covered = sum(span.end - span.start for span in parts)
    if around or (block.kind != "code" and covered != len(block.text)):
        return around
    return _either([span.conditions for span in parts if not span.blank])


def _sections(found: Sequence[tuple[Block, Conditions]]) -> Iterator[Span]:
    """A heading goes with all that stands under it, and all of it goes with its heading."""
    for at, (block, own) in enumerate(found):
        if block.kind == "head":
            rows = _following(found[at + 1 :], lambda one: one.kind in ("head", "row"))
            yield Span(block.start, block.end, _either([c for one, c in rows if one.kind == "row"]))
        elif block.kind == "heading" and block.level > 1:
            under = _following(found[at + 1 :], partial(_is_under, range(1, block.level + 1)))
            end = under[-1][0].end if under else block.end
            contents = [c for one, c in under if one.kind not in ("blank", "head", "heading")]
            yield Span(block.start, end, own or _either(contents))


def _gaps(found: Sequence[tuple[Block, Conditions]]) -> Iterator[Span]:
    """Blank lines go with all that stands right before them."""
    before: list[Conditions] = []
    for block, own in found:
        if block.kind == "blank":
            yield Span(block.start, block.end, _either(before))
            before = []
        elif block.kind != "head":  # which goes with its rows
            before.append(own)


def _is_under(levels: Collection[int], block: Block) -> bool:
    return block.level not in levels


def _following(
    found: Sequence[tuple[Block, Conditions]], belongs: Callable[[Block], bool]
) -> Sequence[tuple[Block, Conditions]]:
    return [*takewhile(lambda one: belongs(one[0]), found)]


def _either(all_conditions: Sequence[Conditions]) -> Conditions:
    """What holds where one of these holds; nothing if one of them always does."""
    if not all_conditions or not all(all_conditions):
        return ALWAYS
    distinct = sorted({both(conditions) for conditions in all_conditions})
    if len(distinct) == 1:
        return all_conditions[0]
    return frozenset(
        {" or ".join(f"({one})" if not one.isidentifier() else one for one in distinct)}
    )


def _cut(parts: Sequence[Piece], spans: Iterable[Span]) -> Iterator[Piece]:
    """The same text, in which each character has the conditions of all spans around it."""
    wanted = [span for span in spans if span.conditions]
    borders = sorted({border for span in wanted for border in (span.start, span.end)})
    start = 0
    for piece in parts:
        end = start + len(piece.text)
        cuts = [start, *(border for border in borders if start < border < end), end]
        for one, other in pairwise(cuts):
            more = {
                c
                for span in wanted
                if span.start <= one and other <= span.end
                for c in span.conditions
            }
            yield Piece(
                piece.text[one - start : other - start],
                (*piece.conditions, *sorted(more - {*piece.conditions})),
            )
        start = end

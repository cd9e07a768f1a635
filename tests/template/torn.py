"""What is left of a page reads as if it had been written so: in all services at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Final

from tests.template.blocks import Block, Kind, blocks, sentences
from tests.template.combinations import combinations
from tests.template.conditions import holds, names_in
from tests.template.mentions import LINK
from tests.template.tree import Entry

_ASIDE: Final = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|<!--.*?-->", re.DOTALL)
_TORN: Final = re.compile(
    r"\b(?:and|or|but|than|between|the|an?)[.,;:)](?=\s|$)"
    r"|[,;(]\s*[.;:)](?=\s|$)|\(\s|\s[.,;:)](?=\s|$)|,\s*,|[.!?] [a-z]"
)
_LEANS: Final = re.compile(
    r"(?:[-*] |\d+\. )?(?:It|They|This|These|That|Those|Both|So|But|And|Then|Else|Its|Their|There"
    r"|Such|Neither|Either|Another|Also|Nor|Therefore|Meanwhile|Afterwards|If so|The others?)\b"
)
"""How a sentence begins that nobody understands without the one before it."""
_LED_TO: Final = ("item", "code", "head")


def torn(entries: Sequence[Entry]) -> Iterator[str]:
    """``page: what is wrong, with those features`` for what the page of the reference has not."""
    for entry in entries:
        if entry.path.endswith(".md") and entry.parts:
            before = "".join(piece.text for piece in entry.parts)
            known = {*_torn(before, frozenset())} if not entry.form else set[str]()
            led = frozenset() if entry.form else frozenset(_led(before))
            for chosen, text in _variants(entry).items():
                for what in {*_torn(text, led)} - known:
                    known.add(what)
                    yield f"{entry.path}: {what}, with {', '.join(sorted(chosen)) or 'nothing'}"


def _variants(entry: Entry) -> Mapping[frozenset[str], str]:
    """Each text that the page has in some service, by those of its features that are chosen."""
    conditions = {one for piece in entry.parts for one in piece.conditions} | entry.conditions
    names = frozenset(names_in({one: one for one in conditions}))
    there = (one for one in {every & names for every in _ALL} if _stand(entry.conditions, one))
    return {
        chosen: "".join(p.text for p in entry.parts if p.stands(chosen)).strip() + "\n"
        for chosen in there
    }


def _stand(conditions: frozenset[str], chosen: frozenset[str]) -> bool:
    return all(holds(one, chosen) for one in conditions)


def _torn(text: str, led: frozenset[tuple[str, str]]) -> Iterator[str]:
    every = [*blocks(text)]
    found = [block for block in every if block.kind != "blank"]
    for block, behind in pairwise([*found, Block("heading", len(text), "", 1)]):
        yield from _between(block, behind)
    for block in every:
        yield from _within(block.kind, block.text)
    if led:
        for pair in _led(text):
            if pair not in led:
                yield f"leans on another sentence: {pair[1]!r} after {pair[0]!r}"


def _between(block: Block, behind: Block) -> Iterator[str]:
    """A heading without text, a table without rows, a colon without what it leads to."""
    text = " ".join(block.text.split())
    if block.kind == "heading" and behind.kind == "heading" and behind.level <= block.level:
        yield f"nothing under {text!r}"
    if text.startswith("|---") and behind.kind != "row":
        yield "a table without rows"
    if block.kind in ("item", "paragraph") and text.endswith(":") and behind.kind not in _LED_TO:
        yield f"nothing behind {text[-60:]!r}"


@cache
def _within(kind: Kind, text: str) -> Sequence[str]:
    if kind == "blank" and text.count("\n") > 1:
        return ("lines without text",)
    if kind not in ("item", "paragraph", "row"):
        return ()
    words = " ".join(_ASIDE.sub("X", text).split())
    found = [
        f"torn at {words[max(0, at.start() - 40) : at.end()]!r}" for at in _TORN.finditer(words)
    ]
    if kind == "paragraph" and re.match(r"[a-z.,;:)]", text):
        found.append(f"begins with {words[:60]!r}")
    if kind == "item" and re.fullmatch(r"(?:[-*]|\d+\.)(?: \*\*[^*]+\*\*:?)?", words):
        found.append(f"nothing behind {words!r}")
    return found


def _led(text: str) -> Iterator[tuple[str, str]]:
    """Each sentence that leans on the one before it, with that one: how they begin."""
    for block in blocks(text):
        if block.kind in ("item", "paragraph"):
            told = [" ".join(LINK.sub(r"\1", words).split()) for _, words in sentences(block)]
            for one, other in pairwise(told):
                if _LEANS.match(other):
                    yield one[:20], other[:40]


_ALL: Final = tuple(combinations())

"""Makes text that others wrote fit for a terminal: control characters become visible.

An escape sequence, a line break or a bidirectional override in a customer's text could move the
cursor, forge a line, or show an order as another one.
"""

import json
import re
from typing import Final

_ACTS: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: line breaks, ESC, CSI
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen
    "\ud800-\udfff"  # lone surrogates: bytes that are not UTF-8
    "\U000e0000-\U000e0fff"  # tags
    "]"
)
_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def visible(text: str) -> str:
    r"""The text on one line: ``"a\nb"`` becomes ``a\nb``, with a backslash and an n."""
    return _ACTS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_lines(text: str) -> str:
    """The same, but its line breaks stay: for text of ours, which may hold text of others."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(document: object, indent: int | None = 2) -> str:
    """The document as JSON that any parser reads, and that no terminal acts upon."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return "\n".join(_ACTS.sub(_escaped, line) for line in text.split("\n"))


def not_a_formula(text: str) -> str:
    """A text for a cell of a spreadsheet, which would run what begins with ``=``."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]

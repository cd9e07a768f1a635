"""The words of a text, as searches take them: one rule for every store."""

import re
import unicodedata
from collections.abc import Collection
from typing import Final


def words(text: str) -> Collection[str]:
    """Its runs of letters and digits, without case and accents: ``"T-Café"``: ``{"t", "cafe"}``.

    What is searched and what is searched for are both taken so, on every backend. A change of this
    rule is a new version of each projection that declares ``searched``.
    """
    return frozenset(re.findall(r"[^\W_]+", _folded(text)))


def _folded(text: str) -> str:
    """Only accents go: a mark that makes another letter, as in Devanagari, stays."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = _ACCENTS.sub("", apart).translate(_WITHIN)
    return unicodedata.normalize("NFC", bare)


_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_WITHIN: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
"""Letters whose stroke is not an accent that could be taken off."""

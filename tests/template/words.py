"""Words by which a text speaks of a feature."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

_WORDS: Final[Mapping[str, str]] = {
    "eventstoredb": r"esdb|eventstoredb|kurrentdb",
    "postgres": r"postgres(?:ql)?|psycopg|pgserver",
    "dynamodb": r"dynamodb|aiobotocore|ministack",
    "kafka": r"kafka",
    "bus": r"\bbus\b",
    "s3": r"s3|seaweedfs|obstore",
    "s3 or dynamodb": r"botocore|aws",
    "opensearch": r"opensearch(?:py)?",
    "algolia": r"algolia(?:search)?",
    "temporal": r"temporal(?:io)?",
    "embedded": r"embedded",
    "console": r"/console\b|\bconsole/|[a-z_]+_console\b|the\s+console|infrastructure\.console",
    "shop": r"shop|shops|skus?|parcels?|warehouse|online_retail|fulfilment|carriers?",
    "reference": r"headwater",
}
_ALLOWED: Final = {
    "bus": r'"bus", "buses"',
    "reference": r"made with the Headwater template",
    "temporal": r"temporal-order|Temporary",
}
"""What has such a word and means another thing."""

_SPEAKING: Final = {
    condition: (
        re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE),
        re.compile(_ALLOWED.get(condition, r"(?!)")),
    )
    for condition, words in _WORDS.items()
}


def speaking(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Each condition that the text speaks of, and the word in it that does."""
    for condition, (words, allowed) in _SPEAKING.items():
        for word in words.finditer(allowed.sub("", text)):
            yield condition, word

"""Settings that Python files name in a text: a service has all that its files name."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.template.mentions import Mentions
from tests.template.named import missing
from tests.template.tree import Entry

_NAME: Final = re.compile(r"\b(HEADWATER_[A-Z0-9_]+)")


def unknown(entries: Sequence[Entry]) -> Iterator[str]:
    """``file:line:`` of each setting that some service with that line does not have."""
    mentions = Mentions({entry.path: entry for entry in entries})
    for entry in entries:
        if entry.path.endswith(".py") and not entry.form:
            yield from missing(entry, _NAME, mentions.of_settings)

"""Settings that Python files name in a text: a service has all that its files name."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.template.combinations import lacking
from tests.template.conditions import NEVER, both
from tests.template.markers import conditions_by_line
from tests.template.mentions import Mentions
from tests.template.tree import Entry

_NAME: Final = re.compile(r"\bHEADWATER_([A-Z0-9_]+)")


def unknown(entries: Sequence[Entry]) -> Iterator[str]:
    """``file:line:`` of each setting that some service with that line does not have."""
    mentions = Mentions({entry.path: entry for entry in entries})
    for entry in entries:
        if entry.form or not entry.path.endswith(".py"):
            continue
        text = entry.source.read_text()
        lines = conditions_by_line(text, entry.path)
        for at in _NAME.finditer(text):
            line = text.count("\n", 0, at.start()) + 1
            has = {*entry.conditions, *lines.get(line, ())}
            lacks = lacking(has, mentions.of_settings(at[0]))
            if lacks and NEVER not in has:
                yield f"{entry.path}:{line}: {at[0]} is only there with {both(lacks)}"

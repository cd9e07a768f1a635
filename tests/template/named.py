"""What a line of a file names, and whether each service with that line has it."""

import re
from collections.abc import Callable, Collection, Iterator

from tests.template.combinations import lacking
from tests.template.conditions import NEVER, both
from tests.template.markers import conditions_by_line
from tests.template.tree import Entry


def missing(
    entry: Entry, name: re.Pattern[str], needs: Callable[[str], Collection[str]]
) -> Iterator[str]:
    """``file:line:`` of each name that some service with that line does not have.

    ``name``: its first group is what is named. ``needs``: the conditions under which that is there.
    """
    text = entry.source.read_text()
    lines = conditions_by_line(text, entry.path)
    for at in name.finditer(text):
        line = text.count("\n", 0, at.start()) + 1
        has = {*entry.conditions, *lines.get(line, ())}
        lacks = lacking(has, needs(at[1]))
        if lacks and NEVER not in has:
            yield f"{entry.path}:{line}: {at[1]} is only there with {both(lacks)}"

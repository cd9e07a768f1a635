"""What no service may have: found in all combinations of answers at once, and no service is made.

A line belongs to what it speaks of and uses. Where its conditions do not say so, some service has
it without that. ``make check`` prints each such line.
"""

from collections.abc import Iterator, Sequence

from tests.template.bound import unbound
from tests.template.imports import dangling
from tests.template.leftovers import in_some_service
from tests.template.parts import missing
from tests.template.rooms import absent
from tests.template.torn import torn
from tests.template.tree import Entry
from tests.template.variables import unknown


def complaints(entries: Sequence[Entry]) -> Iterator[str]:
    """Uses of files and fixtures, settings, parts of the container, modules in rules, names in
    Python, words, and what pages lead to."""
    for law in (dangling, unknown, missing, absent, unbound, in_some_service, torn):
        yield from law(entries)

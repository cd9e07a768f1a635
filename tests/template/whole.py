"""All files of the template, with what follows from the source itself."""

from collections.abc import Sequence
from dataclasses import replace

from tests.template import in_the_template
from tests.template.conditions import NEVER
from tests.template.imports import by_imports
from tests.template.mentions import Mentions
from tests.template.pages import is_page, with_conditions
from tests.template.printed import with_example
from tests.template.tree import Entry, entries


def whole() -> Sequence[Entry]:
    """The files as the table and the markers have them; tests belong to what they import, and
    pages to what they show. With them, what a service has of its own, in the words of the answers.
    """
    every = by_imports(entries(with_gone=True))
    gone = {entry.path for entry in every if NEVER in entry.conditions}
    known = {entry.path: entry for entry in every if entry.path not in gone}
    while True:  # a link to a page that went may take another page with it
        mentions = Mentions(known, gone)
        found = {
            path: replace(entry, conditions=with_conditions(entry, mentions).conditions)
            for path, entry in known.items()
            if is_page(entry)
        }
        if {**known, **found} == known:
            break
        known = {**known, **found}
    pages = {path: with_conditions(entry, mentions) for path, entry in found.items()}
    own = with_example([pages.get(path, entry) for path, entry in known.items()], mentions)
    return [*own, *in_the_template.made()]

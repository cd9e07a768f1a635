"""Which names in an environment are meant for us, though no setting is called so.

The environment belongs to all programs of a machine, so not every unknown name is a mistake. Ours
by all odds is one with our prefix, and one that differs from a setting of ours in a letter or two
while that setting is not there.
"""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Final

_PREFIX: Final = "HEADWATER_"
_ALIKE: Final = 0.88  # of 1: EVENT_STOR and EVENTSTORE_URI are, HTTP_PROXY is not
_OTHERS: Final = frozenset({"HTTPS_HOST", "HTTPS_PORT", "LOGLEVEL"})  # have a meaning of their own
_LINK: Final = re.compile(r".*_(SERVICE_(HOST|PORT(_.*)?)|PORT(_[0-9]+_(TCP|UDP).*)?)")
"""What Kubernetes and Docker set for a service called ``headwater``."""


def misspelt(given: Collection[str], known: Collection[str]) -> Iterator[str]:
    """A sentence for each name that was meant to be a setting and is none."""
    names = {name.upper() for name in given}
    unset = [name for name in known if name not in names]
    for name in sorted(names.difference(known, _OTHERS)):
        if close := get_close_matches(name, unset, n=1, cutoff=_ALIKE):
            yield f"{name}: there is no such setting; {close[0]} is meant, it seems: set that"
        elif name.startswith(_PREFIX) and not _LINK.fullmatch(name):
            ours = ", ".join(sorted(known))
            yield f"{name}: there is no such setting; there are {ours}"

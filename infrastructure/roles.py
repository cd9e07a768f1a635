"""The roles of a process: what it does of all that a service does. A process has one or several."""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final

from application.pacing import MOMENT


class Role(StrEnum):
    """Each may be had by any number of processes, which share its work."""

    API = "api"
    """Answers HTTP requests, and nothing else."""
    PROJECTIONS = "projections"
    """Fills the read models, and measures how far they and the sagas are behind."""
    SAGAS = "sagas"
    """Runs the sagas, their deadlines, and the reactions."""
    # only: bus
    FORWARDERS = "forwarders"
    """Publishes integration events on the bus; one at a time."""
    # end: bus


_UNANSWERED: Final = 0.04  # seconds

ALL: Final = frozenset(Role)
CALLING_OUT: Final = ALL - {Role.PROJECTIONS}
"""The roles that may call servers outside."""


def roles(names: Collection[str]) -> frozenset[Role]:
    """The roles of these names; ``all`` is each. Raises ``ValueError`` for an unknown name."""
    return ALL if "all" in names else frozenset(map(Role, names))


def append_moment(of: Collection[Role]) -> float:
    """Seconds in which appends that keep coming wait for each other, to be written together.

    An answer of the API waits for its append. No answer waits for the append of a saga.
    """
    return MOMENT if Role.API in of else _UNANSWERED


def in_words(of: Collection[Role]) -> str:
    """``all``, or the names in the order above: ``api, sagas``."""
    return "all" if set(of) == ALL else ", ".join(role for role in Role if role in of)


def numbers(
    wanted: Sequence[str],
    idle: Collection[Role] = (),  # only: bus
) -> Mapping[Role, int]:
    """How many processes of each role: what is ``wanted`` (``sagas=2``), else one of each.

    Raises :class:`InvalidNumber`.
    """
    found = dict.fromkeys(Role, 1)
    found.update(dict.fromkeys(idle, 0))  # only: bus
    for text in wanted:
        name, _, number = text.partition("=")
        if name not in list(Role) or not re.fullmatch("[0-9]{1,3}", number):
            raise InvalidNumber(
                f"--processes {text} is not understood: write a role ({', '.join(Role)}) and the "
                "number of its processes, such as projections=2"
            )
        if (name, int(number)) == (Role.API, 0):
            raise InvalidNumber(f"--processes {text}: at least one process has to answer: api=1")
        found[Role(name)] = int(number)
    return {role: number for role, number in found.items() if number}


class InvalidNumber(ValueError):
    """A number of processes is not given in the right form. The message has the right one."""

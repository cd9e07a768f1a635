"""The actions of a saga's step, as data: commands to aggregates, calls to providers.

An action can be repeated: its command id, or its key at the provider, is always the same. Both
name what the action is about, and no action rests on its place among those of its step. So one step
gives one aggregate one command of a kind; a second one of that kind belongs to another step.
"""

from dataclasses import dataclass

from domain.decider import Command


@dataclass(frozen=True)
class Dispatch:
    """Carry out a command on the aggregate of that id. A refusal by the domain is final."""

    id: str
    command: Command


@dataclass(frozen=True)
class OutsideCall:
    """A call to a provider outside: a subclass holds what the call is about.

    How calls of one class are performed is declared by a :class:`CallPerformer`
    (:mod:`application.sagas.performing`).
    """


Action = Dispatch | OutsideCall

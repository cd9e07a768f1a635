"""What any provider declares: its calls by name, what it grants, and what its records look like."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter

from application.ports import Declined, Done, OutcomeUnknown
from infrastructure.providers.answers import Answers

FIND: Final = "find"  # what looking for a call is called where calls are named
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
_TAKEN: Final = {FIND, "calls"}  # the latter is the address of looking


class Call(BaseModel):
    """What a provider is asked to do. Two calls of the same content are equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")


C = TypeVar("C", bound=Call)
G = TypeVar("G")  # what the provider grants
R = TypeVar("R")  # one record of what it has granted
C_contra = TypeVar("C_contra", bound=Call, contravariant=True)
G_co = TypeVar("G_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class Provider(Generic[C, G, R]):
    """How one provider is spoken to.

    Its name, and the names of its calls and of what it grants, stand in addresses and in stored
    journals. Raises ``ValueError`` for names that cannot stand there.
    """

    name: str
    calls: Mapping[str, type[C]]
    grants: Sequence[type[G]]
    record: type[R]

    def __post_init__(self) -> None:
        for name in (self.name, *self.calls):
            if not _NAME.fullmatch(name) or name in _TAKEN:
                raise ValueError(
                    f"{name!r} cannot name a provider or a call: use small letters, digits, - "
                    f"and _, and neither {' nor '.join(sorted(_TAKEN))}"
                )
        if len(set(self.calls.values())) < len(self.calls):
            raise ValueError(f"two calls of {self.name} have one class: give each its own")

    @cached_property
    def answers(self) -> Answers[G]:
        """All that it can answer. Raises ``ValueError`` where two answers have one name."""
        return Answers(self.grants)

    @cached_property
    def records(self) -> TypeAdapter[list[R]]:
        """The shape of all its records."""
        return TypeAdapter(list[self.record])  # type: ignore[name-defined]  # a class at run time

    def name_of(self, call: C) -> str:
        """The name of this class of calls. Raises ``TypeError`` for one of another provider."""
        for name, declared in self.calls.items():
            if type(call) is declared:
                return name
        raise TypeError(f"{type(call).__name__} is not a call of {self.name}")


class Connection(Protocol[C_contra, G_co, R_co]):
    """A connection to one provider, over HTTP or in memory."""

    async def call(self, key: str, call: C_contra) -> G_co | Declined | Done:
        """Have something done, once for each key.

        Raises ``ProviderUnavailable``, ``OutcomeUnknown`` and ``ProviderRefused``.
        """
        ...

    async def find(self, key: str) -> G_co | Declined | Done | None:
        """What has come of the call with that key so far; ``None``: nothing yet.

        Raises ``ProviderRefused`` as the call did, and ``ProviderUnavailable``.
        """
        ...

    async def records(self) -> Sequence[R_co]:
        """All that was ever granted, in order. Raises ``ProviderUnavailable``."""
        ...


async def granted(connection: Connection[C, G, Any], key: str, call: C) -> G | Declined:
    """Have something granted. Raises as a call does, and ``OutcomeUnknown`` for another answer."""
    answer = await connection.call(key, call)
    if isinstance(answer, Done):
        raise OutcomeUnknown(f"{answer} is not an answer to {call!r}")
    return answer


async def done(connection: Connection[C, Any, Any], key: str, call: C) -> None:
    """Have something done. Raises as a call does, and ``OutcomeUnknown`` for another answer."""
    answer = await connection.call(key, call)
    if not isinstance(answer, Done):
        raise OutcomeUnknown(f"{answer} is not an answer to {call!r}")

"""The definition of a projection, stored in streams of the log, as on the server.

``$projections-$all`` lists the projections; a projection's number is the version of its entry
there. ``$projections-{name}`` holds each version of its definition; the newest one counts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from embedded_eventstoredb.errors import EXPECT_ANY
from embedded_eventstoredb.storage import (
    MAX_VERSION,
    NewRecord,
    Reading,
    Transaction,
    compact,
)
from embedded_eventstoredb.streams import append

JAVASCRIPT: Final = "JS"
CONTINUOUS: Final = "Continuous"
ONE_TIME: Final = "OneTime"
TRANSIENT: Final = "Transient"

_REGISTRY: Final = "$projections-$all"
_INITIALIZED: Final = "$ProjectionsInitialized"
_CREATED: Final = "$ProjectionCreated"
_DELETED: Final = "$ProjectionDeleted"
_UPDATED: Final = "$ProjectionUpdated"
_PASSING: Final = "next transient projection"


class Faulted(Exception):
    """A projection cannot continue; the text is the reason shown in its statistics."""


@dataclass(frozen=True)
class Definition:
    """A projection as created or updated. ``epoch`` is the version at which it was last reset."""

    name: str
    handler: str = JAVASCRIPT
    query: str = ""
    enabled: bool = True
    emit_enabled: bool = False
    track_emitted_streams: bool = False
    mode: str = CONTINUOUS
    number: int = -1
    version: int = -1
    epoch: int = -1

    @property
    def stream(self) -> str:
        """The stream that stores it; the names of its other streams begin with this one."""
        return f"$projections-{self.name}"

    @property
    def is_system(self) -> bool:
        """Whether it is a system projection."""
        return self.handler != JAVASCRIPT

    @property
    def is_kept(self) -> bool:
        """False for a transient one, which ends with the node."""
        return self.mode != TRANSIENT

    @property
    def ends(self) -> bool:
        """Whether it completes when it has read everything.

        Then each start begins from the beginning.
        """
        return self.mode != CONTINUOUS

    @property
    def stamp(self) -> str:
        """The ``$v`` of all that it writes."""
        return f"{self.number}:{self.epoch}:{self.version}:4"

    def encoded(self) -> bytes:
        stored = {
            "handlerType": self.handler,
            "query": self.query,
            "mode": self.mode,
            **({"enabled": True} if self.enabled else {}),
            "emitEnabled": self.emit_enabled,
            "checkpointsDisabled": self.ends,
            "trackEmittedStreams": self.track_emitted_streams,
            "epoch": self.epoch,
            "version": self.version,
            "runAs": {"name": "$system"},
            "projectionSubsystemVersion": 4,
        }
        return compact(stored)

    @classmethod
    def decoded(cls, name: str, number: int, data: bytes) -> Self:
        stored: dict[str, Any] = json.loads(data)
        return cls(
            name=name,
            handler=stored["handlerType"],
            query=stored["query"],
            enabled=stored.get("enabled", False),
            emit_enabled=stored["emitEnabled"],
            track_emitted_streams=stored["trackEmittedStreams"],
            mode=stored["mode"],
            number=number,
            version=stored["version"],
            epoch=stored["epoch"],
        )


def create_registry(transaction: Transaction, system: Sequence[Definition]) -> None:
    """Create the registry, with the system projections in it, if the log has none."""
    if transaction.stream(_REGISTRY).last_version >= 0:
        return
    append(transaction, _REGISTRY, EXPECT_ANY, [NewRecord(_INITIALIZED)])
    for definition in system:
        register(transaction, definition)


def register(transaction: Transaction, definition: Definition) -> Definition:
    """Store a new projection. Returns the definition with its number and version."""
    if not definition.is_kept:
        return save(transaction, replace(definition, number=_passing_number(transaction)))
    entry = NewRecord(_CREATED, definition.name.encode())
    number = append(transaction, _REGISTRY, EXPECT_ANY, [entry]).last_version
    return save(transaction, replace(definition, number=number))


def forget_transient(transaction: Transaction) -> None:
    """Delete what transient projections have stored: they ended with the node."""
    transaction.delete_states("projection -")
    transaction.delete_state(_PASSING)


def _passing_number(transaction: Transaction) -> int:
    """A number below those of the registry that no other transient projection has."""
    number = int(transaction.state(_PASSING) or -2)
    transaction.set_state(_PASSING, str(number - 1).encode())
    return number


def save(transaction: Transaction, definition: Definition, *, anew: bool = False) -> Definition:
    """Store the next version; ``anew``: reset the projection.

    Returns the definition with its version.
    """
    version = definition.version + 1
    if definition.is_kept:
        version = transaction.stream(definition.stream).last_version + 1
    epoch = version if anew else definition.epoch
    definition = replace(definition, version=version, epoch=epoch)
    if not definition.is_kept:
        return definition
    entry = NewRecord(_UPDATED, definition.encoded(), is_json=True)
    append(transaction, definition.stream, EXPECT_ANY, [entry])
    return definition


def unregister(transaction: Transaction, definition: Definition) -> None:
    """Remove the projection from the registry."""
    if not definition.is_kept:
        return
    entry = NewRecord(_DELETED, definition.name.encode())
    append(transaction, _REGISTRY, EXPECT_ANY, [entry])


def registered(reading: Reading) -> list[Definition]:
    """All projections, in the order of their creation."""
    numbers: dict[str, int] = {}
    registry, version = reading.stream(_REGISTRY), 0
    while page := reading.read_stream(registry, version):
        version = page[-1].version + 1
        for entry in page:
            name = entry.data.decode()
            if entry.type == _CREATED:
                numbers[name] = entry.version
            elif entry.type == _DELETED:
                numbers.pop(name, None)
    return [_newest(reading, name, number) for name, number in numbers.items()]


def _newest(reading: Reading, name: str, number: int) -> Definition:
    stream = reading.stream(Definition(name).stream)
    (entry,) = reading.read_stream(stream, MAX_VERSION, backwards=True, limit=1)
    return Definition.decoded(name, number, entry.data)

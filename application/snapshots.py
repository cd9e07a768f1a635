"""A snapshot is the state of a stream at one version, so that fewer events have to be read.

The events stay authoritative. A snapshot records how it was made and the form of its state. If any
of that does not fit, it is ignored and all events are read. Stream: ``snapshot-<stream>``.
"""

import ast
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b, sha256
from inspect import getsource
from json import dumps
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, TypeAdapter

from application.identity import uuid5
from domain.decider import Decider, Event
from domain.personal import MASK, Personal, Subject

_TRACE: Final = 4  # bytes that are kept of a command's id


@dataclass(frozen=True)
class Snapshots:
    """Declares snapshots for a category with long streams.

    ``every``: the number of events between two snapshots. ``version``: increase it when an
    upcaster, or something that ``evolve`` imports, makes another state of the same events. Changes
    of the page of ``evolve``, and of the form of the state, are noticed without it.
    """

    every: int
    version: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"a snapshot can be taken every 1 event or more, not {self.every}")


class SnapshotTaken(Event):
    """The state of another stream after its events up to ``version``."""

    version: Annotated[int, Field(ge=0)]
    event_id: UUID  # of the event at that version
    snapshots_version: int  # as declared by the category
    schema_digest: str  # of the state's JSON schema
    evolve_digest: str  # of the page on which evolve stands
    state: Annotated[str, Personal]  # JSON, kept as text so that no store rewrites it
    commands: str  # base64 of the traces of all commands that had been carried out
    subjects: Annotated[tuple[str, ...], Subject] = ()  # whose personal data is in the state

    @property
    def id(self) -> UUID:
        """The id of this event itself, made of its content."""
        without = None if self.subjects else {"subjects"}  # as in version 1
        return uuid5(self.event_id, _digest(self.model_dump_json(exclude=without)))


def about_nobody(data: dict[str, Any]) -> dict[str, Any]:
    """SnapshotTaken 1 → 2: no event had declared personal data."""
    return {**data, "subjects": []}


class Traces:
    """A compact set of the commands that were carried out.

    A command that is not in it was certainly not carried out; one that is in it most likely was.
    """

    def __init__(self, traces: Iterable[bytes] = ()) -> None:
        self._traces = frozenset(traces)

    @classmethod
    def parse(cls, text: str) -> "Traces":
        """Raises ``ValueError``."""
        kept = b64decode(text, validate=True)
        if len(kept) % _TRACE:
            raise ValueError("the traces of commands are not whole")
        return cls(kept[start : start + _TRACE] for start in range(0, len(kept), _TRACE))

    def __contains__(self, command_id: UUID) -> bool:
        return _trace(command_id) in self._traces

    def with_commands(self, command_ids: Iterable[UUID]) -> "Traces":
        return Traces(self._traces.union(map(_trace, command_ids)))

    def __str__(self) -> str:
        return b64encode(b"".join(sorted(self._traces))).decode()


def _trace(command_id: UUID) -> bytes:
    """Hashed, since ids that are made of a time begin alike."""
    return blake2b(command_id.bytes, digest_size=_TRACE).digest()


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that fits this release. Only its stream shows whether it fits that, too."""

    version: int
    event_id: UUID
    state: Any
    commands: Traces
    subjects: frozenset[str] = frozenset()
    """Whose personal data is in the state."""


class Unfit(Exception):
    """A snapshot that cannot be used; the message says why."""


def take(snapshot: Snapshot, declared: Snapshots, decider: Decider[Any, Any, Any]) -> SnapshotTaken:
    """The event that keeps it."""
    form = _form(decider)
    return SnapshotTaken(
        version=snapshot.version,
        event_id=snapshot.event_id,
        snapshots_version=declared.version,
        schema_digest=form.schema_digest,
        evolve_digest=form.evolve_digest,
        state=form.adapter.dump_json(snapshot.state).decode(),
        commands=str(snapshot.commands),
        subjects=tuple(sorted(snapshot.subjects)),
    )


def restore(taken: SnapshotTaken, declared: Snapshots, decider: Decider[Any, Any, Any]) -> Snapshot:
    """The snapshot of a stored event. Raises :class:`Unfit`."""
    form = _form(decider)
    if taken.state == MASK:
        raise Unfit("a person whose data is in it has been forgotten")
    if taken.snapshots_version != declared.version:
        raise Unfit(f"it is of version {taken.snapshots_version}, not {declared.version}")
    if taken.schema_digest != form.schema_digest:
        raise Unfit("the state had another form")
    if taken.evolve_digest != form.evolve_digest:
        raise Unfit("evolve was another one")
    try:
        state = form.adapter.validate_json(taken.state)
        commands, subjects = Traces.parse(taken.commands), frozenset(taken.subjects)
        return Snapshot(taken.version, taken.event_id, state, commands, subjects)
    except ValueError as error:
        raise Unfit(f"it cannot be read: {error}") from error


class _Form:
    """How a state is written, and fingerprints of its schema and of its ``evolve``.

    The fingerprint covers the whole module of ``evolve`` but for comments and layout: it is not
    known which lines matter, and reading the events once more is cheap.
    """

    def __init__(self, decider: Decider[Any, Any, Any]) -> None:
        self.adapter: TypeAdapter[Any] = TypeAdapter(type(decider.initial))
        self.schema_digest = _digest(dumps(self.adapter.json_schema(), sort_keys=True))
        page = getsource(sys.modules[decider.evolve.__module__])
        self.evolve_digest = _digest(dumps(_said(ast.parse(page))))


def _said(node: Any) -> Any:
    """The syntax tree of a module, in one form for all releases of Python.

    Releases add fields to the nodes, and differ in which of them they leave empty. So empty fields
    are left out, and docstrings, too.
    """
    match node:
        case ast.JoinedStr(values=parts):  # Python 3.12 adds an empty text to some
            return ["JoinedStr", [_said(one) for one in parts if ast.dump(one) != _NO_TEXT]]
        case ast.AST():
            named = ((name, _said(said)) for name, said in ast.iter_fields(node) if name != "kind")
            return [type(node).__name__, *([name, said] for name, said in named if said)]
        case list():
            return [_said(one) for one in node if not _is_docstring(one)]
        case _:
            return None if node is None else f"{type(node).__name__} {node!r}"


_NO_TEXT: Final = ast.dump(ast.Constant(""))


def _is_docstring(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


_FORMS: Final[dict[Callable[..., Any], _Form]] = {}  # cached, since making one is slow


def _form(decider: Decider[Any, Any, Any]) -> _Form:
    if decider.evolve not in _FORMS:
        _FORMS[decider.evolve] = _Form(decider)
    return _FORMS[decider.evolve]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()

"""From a request to the context of a command, and from its outcome to the answer.

- ``Idempotency-Key``: repeating a request with its key repeats its answer and nothing else. The
  command id is made of method, path, key and caller, since two callers may choose the same key;
  every id that the service makes is made of the command id. So a repeated request leads to the
  same stream.
- ``If-Match: "3"``: carry it out only if the stream is still at version 3, else 412. It takes one
  strong entity tag as in ``ETag``; ``*`` and weak tags (``W/"3"``) are refused with 400.
- ``Consistency-Token`` comes with the answer; a query with it waits until its read model has the
  events of the command (see ``reading.py``).
- ``traceparent`` is kept in the metadata of the events; a malformed one is ignored, as its
  standard says.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field

from application.access import Caller
from application.backpressure import Overloaded
from application.claim_check import EventTooLarge
from application.command_dispatch import (
    CommandIdReused,
    CommandOutcome,
    StaleVersion,
    TooMuchContention,
)
from application.identity import uuid5
from application.messages import Context
from application.ports import StreamDeleted, StreamUnusable
from domain.decider import Command, DomainError
from infrastructure.http.access import caller_of, only_of
from infrastructure.http.headers import RequestHeader, reads
from infrastructure.http.problems import BadHeader
from infrastructure.http.served import Served, served

NAMESPACE = UUID("8d5a4f0e-6b1c-4a5e-9d37-2f6c1e0b7a94")
"""The namespace of command ids made of idempotency keys. Changing it forgets all keys."""

COMMAND_ERRORS = (
    BadHeader,
    DomainError,
    StaleVersion,
    CommandIdReused,
    EventTooLarge,
    TooMuchContention,
    Overloaded,
    StreamDeleted,
    StreamUnusable,
)
"""The errors of a route that carries out a command: for ``documented``."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ENTITY_TAG = re.compile(r'"(0|[1-9][0-9]{0,17})"')
_VALID_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


class Done(BaseModel):
    """The outcome of a command. Repeating the request with its Idempotency-Key repeats this."""

    id: str = Field(description="the stream that it was about, without its category")
    version: int = Field(description="the version of its stream now, as in ETag; for If-Match")
    events: list[str] = Field(description="what has happened; empty: there was nothing to do")


@dataclass(frozen=True)
class CommandRequest:
    """A request to carry out a command: its context and the expected version."""

    service: Served
    context: Context
    expected_version: int | None
    only: str | None
    """The subject whose things the caller is limited to; ``None``: no limit."""

    def make_id(self, of: str) -> str:
        """An id for a thing that this command makes: the same when the request is repeated."""
        return str(uuid5(self.context.command_id, of))

    async def carry_out(
        self, id: str, command: Command, response: Response, *, new: bool = False
    ) -> Done:
        """Carry out the command on that aggregate, and set ``ETag`` to the new version.

        ``new``: the aggregate most likely does not exist. Raises
        :class:`~application.backpressure.Overloaded`, and what dispatch raises.
        """
        act = partial(
            self.service.dispatch,
            id,
            command,
            self.context,
            expected_version=self.expected_version,
            new=new,
        )
        return await self.answer(id, act, response)

    async def answer(
        self, id: str, act: Callable[[], Awaitable[CommandOutcome]], response: Response
    ) -> Done:
        """The same for a use case of several commands."""
        await self.service.backpressure.admit()
        outcome = await act()
        response.headers["ETag"] = entity_tag(outcome.version)
        response.headers["Consistency-Token"] = await self.service.consistency.token(outcome)
        events = [type(event).__name__ for event in outcome.events]
        return Done(id=id, version=outcome.version, events=events)


_IDEMPOTENCY_KEY: Final = RequestHeader(
    "Idempotency-Key", "your name for this request; send it again to retry safely"
)
_IF_MATCH: Final = RequestHeader("If-Match", 'the version you have seen, as in ETag: "3"')
_TRACEPARENT: Final = RequestHeader("Traceparent", "W3C trace context")


@reads(_IDEMPOTENCY_KEY, _IF_MATCH, _TRACEPARENT)
async def command_request(request: Request) -> CommandRequest:
    """Raises :class:`BadHeader`."""
    caller = caller_of(request)
    context = Context.start(
        caller.actor,
        _command_id(request, caller, _IDEMPOTENCY_KEY.of(request)),
        datetime.now(UTC),
        correlation_id=request.state.correlation_id,
        traceparent=_valid(_TRACEPARENT.of(request)),
    )
    expected_version = _expected_version(_IF_MATCH.of(request))
    return CommandRequest(served(request), context, expected_version, only_of(request))


Requested = Annotated[CommandRequest, Depends(command_request)]


def entity_tag(version: int) -> str:
    """The version of a stream as an HTTP entity tag."""
    return f'"{version}"'


def _command_id(request: Request, caller: Caller, key: str | None) -> UUID:
    if key is None:
        return uuid4()
    if not _KEY.fullmatch(key):
        raise BadHeader("Idempotency-Key has to be 1 to 255 visible ASCII characters, no spaces")
    return command_id_of(
        request.method, request.scope["path"], key, caller.actor if caller.subject else None
    )


def command_id_of(method: str, path: str, key: str, caller: str | None = None) -> UUID:
    """The id of the command of a request with that Idempotency-Key, by that caller."""
    scope = "" if caller is None else f" {caller}"
    return uuid5(NAMESPACE, f"{method} {path} {key}{scope}")


def _expected_version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    if found := _ENTITY_TAG.fullmatch(if_match):
        return int(found[1])
    raise BadHeader('If-Match takes one version as in ETag, with its quotes: "3"')


def _valid(traceparent: str | None) -> str | None:
    return traceparent if traceparent and _VALID_TRACEPARENT.fullmatch(traceparent) else None

"""Appends on the wire. The client returns their positions in ``$all``, but not their versions.

So the requests are made and the answers read here. All appends of a client share one call for as
long as it lasts: a call for each costs both sides three times as much.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from esdbclient.asyncio_client import autoreconnect
from esdbclient.exceptions import AppendDeadlineExceeded, MaximumAppendSizeExceededError
from esdbclient.protos.Grpc.shared_pb2 import WrongExpectedVersion as WrongVersion
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendReq, BatchAppendResp
from esdbclient.streams import AsyncStreamsService

from application.messages import NewEvent
from application.ports import NO_STREAM, Appended, WrongExpectedVersion
from infrastructure.eventstoredb.append_call import Answer, AppendCall
from infrastructure.eventstoredb.client import Client
from infrastructure.eventstoredb.places import place, required

_WRONG: Final = WrongVersion.DESCRIPTOR
_LARGE: Final = 1 << 18  # bytes: the server may find it too large, which ends the call for all


@dataclass(frozen=True)
class Append:
    """Events for the end of a stream, whose last version is ``expected``."""

    stream: str
    expected: int
    events: Sequence[NewEvent]
    id: str = field(default_factory=lambda: str(uuid4()), compare=False)


class BatchAppends:
    """The appends of one client."""

    def __init__(self, client: Client, apart: float = 0.0) -> None:
        """``apart``: see :class:`AppendCall`."""
        self._client, self._apart = client, apart
        self._shared: AppendCall | None = None
        self._begun: dict[str, tuple[AppendCall, Answer]] = {}

    def begin(self, append: Append, within: float) -> Answer:
        """Hand it in, until ``forget``. The server has ``within`` seconds.

        Raises the client's errors.
        """
        request = _request(append, within)
        call = self._call_for(request)
        answer = call.ask(request)
        if call is not self._shared:
            call.retire()
        self._begun[append.id] = call, answer
        return answer

    def settled(self, append: Append) -> Appended | None:
        """The version and position of the events of an append that was begun, if it is answered so.

        Raises :class:`WrongExpectedVersion`.
        """
        _, answer = self._begun[append.id]
        if not answer.done() or answer.cancelled() or answer.exception():
            return None
        return _understood(answer.result(), append) if _is_settled(answer.result()) else None

    def passed_over(self, append: Append, seconds: float) -> bool:
        """Whether an append that was begun may never be answered: see ``AppendCall``."""
        begun = self._begun.get(append.id)
        return begun is None or begun[0].passes_over(append.id, seconds)

    def forget(self, append: Append) -> None:
        """Its caller waits no longer. What has been sent may still be written."""
        if begun := self._begun.pop(append.id, None):
            begun[1].cancel()

    async def append(self, append: Append, within: float) -> Appended | None:
        """The version and position of the events; ``None`` if the answer does not have them.

        Begins the append, unless that was done. Raises :class:`WrongExpectedVersion`, and the
        client's errors; after those that ``unavailable`` handles, the events may have been written.
        If the connection is unusable, it tries once more on a new one.
        """
        return await _appended(self._client, self, append, within)

    async def once(self, append: Append, within: float) -> Appended | None:
        """The same, without another try."""
        if append.id not in self._begun:
            self.begin(append, within)
        call, answer = self._begun[append.id]
        try:
            async with asyncio.timeout(within):
                return _understood(await answer, append)
        except WrongExpectedVersion:
            raise
        except TimeoutError:
            call.retire()
            raise AppendDeadlineExceeded(f"there is no answer within {within:g} s") from None
        except Exception:  # it may concern the call: the next append begins another
            call.retire()
            raise
        finally:
            self._begun.pop(append.id, None)

    def _call_for(self, request: BatchAppendReq) -> AppendCall:
        if request.ByteSize() > _LARGE:
            return AppendCall(self._client)
        if self._shared is None or not self._shared.serves(self._client):
            self._shared = AppendCall(self._client, self._apart)
        return self._shared


@autoreconnect
async def _appended(
    _: Client, appends: BatchAppends, append: Append, within: float
) -> Appended | None:
    return await appends.once(append, within)


def _request(append: Append, within: float) -> BatchAppendReq:
    """The whole append, made in place: building it of the client's own events takes twice as
    long."""
    request = BatchAppendReq(is_final=True)
    request.correlation_id.string = append.id
    options = request.options
    options.stream_identifier.stream_name = append.stream.encode()
    fraction, seconds = math.modf(within)
    options.deadline.seconds, options.deadline.nanos = int(seconds), int(fraction * 1e9)
    if append.expected == NO_STREAM:
        options.no_stream.SetInParent()
    else:
        options.stream_position = append.expected
    for event in append.events:
        message = request.proposed_messages.add(
            data=event.data, custom_metadata=event.metadata.to_json()
        )
        message.id.string = str(event.id)
        message.metadata["type"], message.metadata["content-type"] = event.type, "application/json"
    return request


def _is_settled(answer: BatchAppendResp) -> bool:
    """Whether the append was written, or refused for its version."""
    return answer.WhichOneof("result") == "success" or answer.error.details.Is(_WRONG)


def _understood(answer: BatchAppendResp, append: Append) -> Appended | None:
    if answer.WhichOneof("result") == "success":
        return _appended_at(answer.success)
    wrong = WrongVersion()
    if answer.error.details.Unpack(wrong):
        raise WrongExpectedVersion(append.stream, append.expected, _actual(wrong))
    try:
        AsyncStreamsService._convert_batch_append_resp(answer, append.stream, append.expected)
    except MaximumAppendSizeExceededError as error:
        raise ValueError(
            f"EventStoreDB: the append to {append.stream} is too large ({error}): append fewer "
            "events at a time, or let the claim check keep large data out of them"
        ) from error
    raise AssertionError  # it raises what it finds


def _appended_at(success: BatchAppendResp.Success) -> Appended | None:
    version = place(success.current_revision) if success.HasField("current_revision") else None
    position = place(success.position.commit_position) if success.HasField("position") else None
    return None if version is None or position is None else Appended(version, position)


def _actual(wrong: WrongVersion) -> int:
    if wrong.WhichOneof("current_stream_revision_option") == "current_stream_revision":
        return required(wrong.current_stream_revision, "the last version of a stream")
    return NO_STREAM

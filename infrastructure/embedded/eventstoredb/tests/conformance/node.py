"""The node under test: calls with the bare messages of the protocol, without a client library."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.message import Message

from conformance.listening import Conversation, Listening, TwoWayCall
from waiting import until_true

_SERVICES: Final = "/event_store.client."
_METADATA: Final = (("requires-leader", "true"),)

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, before the answer is that nothing comes."""

    answer: float  # for what a node has to answer
    quiet: float  # after the last answer of a call that stays open


QUICK: Final = Patience(answer=3.0, quiet=0.4)
PATIENT: Final = Patience(answer=20.0, quiet=2.5)


@dataclass(frozen=True)
class Node:
    """A node, as one scenario asks it, with names that no other scenario uses."""

    channel: grpc.aio.Channel
    http: str  # where it answers over HTTP/1.1, as host:port
    patience: Patience = QUICK
    run: str = field(default_factory=lambda: f"r{uuid4().hex[:9]}")
    _numbers: "count[int]" = field(default_factory=count)

    def fresh(self, label: str) -> str:
        """A name that is new to the node, and reads ``<label>`` in answers."""
        return f"{self.run}.{label}-{next(self._numbers)}"

    async def ask(self, method: str, request: Message, answer: type[M]) -> M:
        """One request, one answer. Raises grpc.aio.AioRpcError."""
        call = self.channel.unary_unary(_SERVICES + method, _bytes, answer.FromString)
        result: M = await call(request, timeout=self.patience.answer, metadata=_METADATA)
        return result

    async def upload(self, method: str, requests: Iterable[Message], answer: type[M]) -> M:
        """Many requests, one answer. Raises grpc.aio.AioRpcError."""
        call = self.channel.stream_unary(_SERVICES + method, _bytes, answer.FromString)
        result: M = await call(iter(requests), timeout=self.patience.answer, metadata=_METADATA)
        return result

    async def download(self, method: str, request: Message, answer: type[M]) -> list[M]:
        """One request, and all its answers. Raises grpc.aio.AioRpcError."""
        call = self.channel.unary_stream(_SERVICES + method, _bytes, answer.FromString)
        answers = call(request, timeout=self.patience.answer, metadata=_METADATA)
        return [one async for one in answers]

    def listen(
        self, method: str, request: Message, answer: type[M], tell: Callable[[M], object]
    ) -> Listening[M]:
        """One request, and answers for as long as the call is open."""
        call = self.channel.unary_stream(_SERVICES + method, _bytes, answer.FromString)
        return Listening(call(request, metadata=_METADATA), tell, self.patience)

    def converse(
        self, method: str, answer: type[M], tell: Callable[[M], object]
    ) -> Conversation[M]:
        """Requests, sent by ``say``, and answers, for as long as the call is open."""
        open_call: Callable[..., TwoWayCall[M]] = self.channel.stream_stream(
            _SERVICES + method, _bytes, answer.FromString
        )
        return Conversation(open_call(metadata=_METADATA), tell, self.patience)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Retries until the condition holds or the patience is over."""
        with suppress(AssertionError):
            await until_true(condition, self.patience.answer)


def _bytes(request: Message) -> bytes:
    return request.SerializeToString()

"""A call that stays open: what it has answered so far, and whether it has ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Generic, Protocol, Self, TypeVar

import grpc
from google.protobuf.message import Message

from conformance.normal_form import fault

M = TypeVar("M", bound=Message)
Received = TypeVar("Received", covariant=True)
_OPEN: Final = "…"


class Waits(Protocol):
    """How long to wait, in seconds."""

    @property
    def answer(self) -> float: ...
    @property
    def quiet(self) -> float: ...


class OpenCall(Protocol[Received]):
    """What gRPC gives for a call with many answers."""

    def __aiter__(self) -> AsyncIterator[Received]: ...
    def cancel(self) -> bool: ...


class TwoWayCall(OpenCall[Received], Protocol[Received]):
    """The same, of one that takes many requests."""

    def write(self, request: Message, /) -> Awaitable[None]: ...
    def done_writing(self) -> Awaitable[None]: ...


class Listening(Generic[M]):
    """Collects the answers of one call, each as ``tell`` has it, until it is stopped.

    Nothing here raises: a call that fails has an answer that says so.
    """

    def __init__(self, call: OpenCall[M], tell: Callable[[M], object], patience: Waits) -> None:
        self.heard: list[object] = []
        self.end: object = None  # None while it is open
        self._call, self._tell, self._patience = call, tell, patience
        self._news = asyncio.Event()
        self._collecting = asyncio.create_task(self._collect())

    @property
    def answers(self) -> list[object]:
        """All that was heard, and its failure or ``…`` when it is open still."""
        if self.end is None:
            return [*self.heard, _OPEN]
        return [*self.heard, self.end] if self.end != "ended" else list(self.heard)

    async def until(self, condition: Callable[[Sequence[object]], bool]) -> list[object]:
        """Waits until it holds of what was heard, or the call ends, or patience does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.answer):
                while not condition(self.heard) and self.end is None:
                    await self._more()
        return list(self.heard)

    async def count(self, number: int) -> list[object]:
        """Waits until so many answers were heard."""
        return await self.until(lambda heard: len(heard) >= number)

    async def ends(self) -> list[object]:
        """Waits for the end of the call."""
        await self.until(lambda _: False)
        return self.answers

    async def quiet(self) -> list[object]:
        """Waits until nothing more comes."""
        with suppress(TimeoutError):
            while self.end is None:
                async with asyncio.timeout(self._patience.quiet):
                    await self._more()
        return self.answers

    async def stop(self) -> None:
        """Hangs up."""
        self._call.cancel()
        self._collecting.cancel()
        with suppress(asyncio.CancelledError):
            await self._collecting

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _collect(self) -> None:
        try:
            async for message in self._call:
                self.heard.append(self._tell(message))
                self._news.set()
            self.end = "ended"
        except grpc.aio.AioRpcError as error:
            self.end = fault(error)
        self._news.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


class Conversation(Listening[M]):
    """The same for a call that also sends requests. A request after its end is ignored."""

    def __init__(self, call: TwoWayCall[M], tell: Callable[[M], object], patience: Waits) -> None:
        super().__init__(call, tell, patience)
        self._requests = call

    async def say(self, request: Message) -> None:
        """Sends another request."""
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            await self._requests.write(request)

    async def done(self) -> None:
        """Sends no more requests, and goes on listening."""
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            await self._requests.done_writing()

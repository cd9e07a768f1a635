"""What Temporal keeps of a service: the histories of its workflows, and what they are found by."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from google.protobuf.message import Message
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from application.ports import Copy, StoreUnavailable
from infrastructure.settings import InvalidSettings

_AT_ONCE: Final = 100  # workflows, or events of one history, that are asked for
_DAY: Final = 24 * 60 * 60  # seconds


class Copies:
    """A :class:`~application.ports.Copies`: all workflows that went to one task queue."""

    name, unit = "Temporal", "entries of histories"

    def __init__(self, connect: Callable[[], Awaitable[Client]], task_queue: str) -> None:
        """``connect`` is called when something is asked."""
        self._connect, self._task_queue = connect, task_queue

    async def kept(self) -> AsyncIterator[Copy]:
        """What workflows are found by (search attributes, memo), and each event of each history."""
        client = await self._connected()
        query = f"TaskQueue = {_quoted(self._task_queue)}"
        try:
            async for one in client.list_workflows(query, page_size=_AT_ONCE):
                with suppress(_Gone):
                    async for copy in _of(client, one):
                        yield copy
        except RPCError as error:
            raise _unavailable(error) from error

    async def beyond(self) -> Sequence[str]:
        client = await self._connected()
        asked = DescribeNamespaceRequest(namespace=client.namespace)
        try:
            found = await client.workflow_service.describe_namespace(asked)
        except RPCError as error:
            raise _unavailable(error) from error
        days = found.config.workflow_execution_retention_ttl.ToSeconds() / _DAY
        return [
            "what is encrypted there by the key of all histories: the service can read it until "
            f"{days:g} days after a workflow has ended"
        ]

    async def _connected(self) -> Client:
        try:
            return await self._connect()
        except InvalidSettings as error:
            raise StoreUnavailable(str(error)) from error


class _Gone(Exception):
    """Its retention has ended while we were reading."""


async def _of(client: Client, one: WorkflowExecution) -> AsyncIterator[Copy]:
    where = f"workflow {one.id} ({one.run_id})"
    handle = client.get_workflow_handle(one.id, run_id=one.run_id)
    yield Copy(where, [*_texts(one.raw_info)])
    try:
        if one.status is WorkflowExecutionStatus.RUNNING:  # what is pending is in no history yet
            yield Copy(where, [*_texts((await handle.describe()).raw_description)])
        async for event in handle.fetch_history_events(page_size=_AT_ONCE):
            yield Copy(f"event {event.event_id} of {where}", [*_texts(event)])
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise _Gone from error
        raise


def _texts(message: Message) -> Iterator[bytes]:
    """All texts and bytes in it, however deep."""
    for field, value in message.ListFields():
        if field.message_type and field.message_type.GetOptions().map_entry:
            for key in value:
                yield from _in((key, value[key]))
        else:
            yield from _in([value] if isinstance(value, str | bytes | Message) else value)


def _in(values: Any) -> Iterator[bytes]:
    for one in values if isinstance(values, Sequence) else ():
        if isinstance(one, str | bytes):
            yield one.encode() if isinstance(one, str) else one
        elif isinstance(one, Message):
            yield from _texts(one)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _unavailable(error: RPCError) -> StoreUnavailable:
    return StoreUnavailable(f"Temporal does not answer: {error.message}")

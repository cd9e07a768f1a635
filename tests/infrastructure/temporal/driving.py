"""Sagas on Temporal over a store in memory: their relay, a worker, and their rest."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Self
from uuid import uuid4

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.worker import Worker

from application.event_filter import EventFilter
from application.ports import EventStore
from application.sagas.attempting import Perform
from application.sagas.driving import Observer
from application.sagas.saga import Saga
from infrastructure.temporal.relay import TemporalEngine
from infrastructure.temporal.worker import worker
from tests.infrastructure.temporal.skipping import Clock
from tests.waiting import until_true

COMPLETED: Final = WorkflowExecutionStatus.COMPLETED


class Driving:
    """Use as a context: it has a task queue of its own. One after another, ids may repeat."""

    def __init__(
        self,
        client: Client,
        versions: Sequence[Saga[Any]],
        own: EventFilter,
        store: EventStore,
        perform: Perform,
        observe: Observer = lambda *_: None,
    ) -> None:
        self.client, self.clock = client, Clock(client)
        self._saga, self.task_queue = versions[-1].name, f"test {uuid4()}"
        self.engine = TemporalEngine(
            versions, own, store, client, self.task_queue, searchable=False
        )
        self._worker: Callable[[], Worker] = lambda: worker(
            client, self.task_queue, versions, store, perform, observe
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the worker (again)."""
        self._running = self._worker()
        await self._running.__aenter__()

    async def stop(self) -> None:
        """End the worker."""
        await self._running.__aexit__(None, None, None)

    async def rest(self, id: str) -> None:
        """Wait until the saga can only wait, or has ended."""
        workflow = self.client.get_workflow_handle(f"{self._saga}-{id}")

        async def rests() -> bool:
            resting: bool = await workflow.query("resting")
            return resting or (await workflow.describe()).status is COMPLETED

        await until_true(rests)

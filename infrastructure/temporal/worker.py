"""The worker: runs the workflows and activities of all sagas of a service that Temporal drives."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.worker import Replayer, Worker

from application.ports import EventStore
from application.sagas.attempting import Perform
from application.sagas.driving import Observer
from application.sagas.saga import Saga
from infrastructure.temporal.activities import SagaActivities
from infrastructure.temporal.converting import data_converter
from infrastructure.temporal.definitions import Definitions
from infrastructure.temporal.workflow import SagaWorkflow

_GRACE: Final = timedelta(seconds=5)  # that steps under way have when the process ends


def worker(
    client: Client,
    task_queue: str,
    sagas: Iterable[Saga[Any]],
    store: EventStore,
    perform: Perform,
    observe: Observer,
    **options: Any,
) -> Worker:
    """``run`` it, or use it as a context. ``sagas``: each version that was ever released."""
    definitions = Definitions(sagas)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[SagaWorkflow],
        activities=SagaActivities(definitions, store, perform, observe).all,
        interceptors=[definitions],
        graceful_shutdown_timeout=_GRACE,
        **options,
    )


def replayer(sagas: Iterable[Saga[Any]], workflow: type[SagaWorkflow] = SagaWorkflow) -> Replayer:
    """Replays recorded histories against this workflow and these sagas."""
    return Replayer(
        workflows=[workflow],
        interceptors=[Definitions(sagas)],
        data_converter=data_converter(),
    )

"""Hands events to the workflows of the sagas that they are about, and starts these workflows."""

from collections.abc import Sequence
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import EventStore, ProviderUnavailable
from application.sagas.addressing import Addressing
from application.sagas.progress import awaiting
from application.sagas.saga import Saga
from application.sagas.state import AT_WORK, SagaState
from application.sagas.stream import SagaStream
from infrastructure.temporal import search_attributes
from infrastructure.temporal.messages import Arrived, Begun, Cancelled, Changed, News
from infrastructure.temporal.news import following


class TemporalEngine:
    """Sagas of one name, each a workflow. Its ``events`` and ``handle`` are a plain engine's.

    A workflow is started once for an event that starts a saga. Where none runs, and an event
    concerns the saga, a workflow is started that goes on from the saga's stream.
    """

    def __init__(
        self,
        versions: Sequence[Saga[Any]],
        own: EventFilter,
        store: EventStore,
        client: Client,
        task_queue: str,
        *,
        searchable: bool = True,
    ) -> None:
        """``versions``: the newest last. ``searchable``: the server has the search attributes."""
        self._versions, self._addressing = versions, Addressing(versions, own)
        self.newest = versions[-1]
        self._store, self._client, self._task_queue = store, client, task_queue
        self._searchable = searchable

    @property
    def events(self) -> EventFilter:
        """The events that it handles."""
        return self._addressing.events

    async def handle(self, recorded: RecordedEvent) -> None:
        """Start the saga, or tell its workflow; durable when it returns. Idempotent.

        Raises ``ProviderUnavailable`` while Temporal does not answer, ``NotHere`` for a saga of a
        newer release, and as the store.
        """
        if self._addressing.starts(recorded) and not self.newest.started_by(recorded):
            return  # most of a history that is brought in
        try:
            for id in self._addressing.about(recorded):
                await self._hand_on(id, recorded)
        except RPCError as error:
            if error.status in _PASSING:
                raise ProviderUnavailable(f"Temporal does not answer: {error}") from error
            raise

    async def _hand_on(self, id: str, recorded: RecordedEvent) -> None:
        if self._addressing.starts(recorded):
            await self._start(id, recorded)
        elif (news := self._news(id, recorded)) and not await self._signalled(id, news):
            await self._go_on(id, recorded, news)

    def _news(self, id: str, recorded: RecordedEvent) -> News | None:
        if recorded.stream == f"{self.newest.name}-{id}":
            return Changed(version=recorded.version)
        if recorded.type not in self._addressing.awaited:
            reason = getattr(recorded.event, "reason", recorded.type)
            return Cancelled(type=recorded.type, by=recorded.metadata.actor, reason=reason)
        steps = dict.fromkeys(
            step for saga in self._versions for step in awaiting(saga, id, recorded)
        )
        return Arrived(event_id=str(recorded.id), steps=[*steps]) if steps else None

    async def _signalled(self, id: str, news: News) -> bool:
        """Whether a workflow runs, and has it now."""
        try:
            workflow = self._client.get_workflow_handle(f"{self.newest.name}-{id}")
            await workflow.signal(news.kind, news)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def _go_on(self, id: str, recorded: RecordedEvent, news: News) -> None:
        """Start a workflow for a saga that has none; its stream says whether there is need."""
        stream = await SagaStream(self._store, self.newest.name, id).read()
        if stream.state.status is None:
            first = await self._addressing.beginning(id, recorded, self._store)
            if first is not None:
                await self._start(id, first, news)
        elif stream.state.status in AT_WORK or self._matters(stream.state, news):
            await self._run(Begun(id=id, searchable=self._searchable, news=(news,)), again=news)

    def _matters(self, state: SagaState, news: News) -> bool:
        """Whether anything follows from it, for a saga at its end."""
        return any(following(self._addressing.definition(state.version), state, [news]))

    async def _start(self, id: str, first: RecordedEvent, news: News | None = None) -> None:
        facts = self.newest.started_by(first)
        if facts is None:
            return
        begun = Begun(
            id=id,
            started=self.newest.start(facts),
            cause=str(first.id),
            correlation_id=first.metadata.correlation_id,
            traceparent=first.metadata.traceparent,
            on_behalf_of=first.metadata.principal,
            searchable=self._searchable,
            news=(news,) if news else (),
        )
        await self._run(begun, again=news)

    async def _run(self, begun: Begun, again: News | None) -> None:
        """Start a workflow, unless it is a repeated start; one that was quicker gets the news."""
        status = "running" if begun.started else "taken up"
        searched = search_attributes.of(begun.id, status) if self._searchable else None
        try:
            await self._client.start_workflow(
                self.newest.name,
                begun,
                id=f"{self.newest.name}-{begun.id}",
                task_queue=self._task_queue,
                id_reuse_policy=_AGAIN if again else _ONCE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=searched,
                static_summary=f"{self.newest.name} {begun.id}",
            )
        except WorkflowAlreadyStartedError:
            if again and not await self._signalled(begun.id, again):
                await self._run(begun, again)


_ONCE: Final = WorkflowIDReusePolicy.REJECT_DUPLICATE
_AGAIN: Final = WorkflowIDReusePolicy.ALLOW_DUPLICATE
_PASSING: Final = (
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.ABORTED,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.UNKNOWN,
)

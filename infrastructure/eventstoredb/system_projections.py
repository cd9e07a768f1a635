"""EventStoreDB's own projections, which write streams of links: by category, by event type …

Consumer groups read the links of ``$by_category``. The others are for people and tools.
"""

from collections.abc import Collection
from contextlib import suppress
from typing import Final

from esdbclient.exceptions import NotFound

from infrastructure.eventstoredb.client import DEADLINE, Client, answering

BY_CATEGORY: Final = "$by_category"
SYSTEM_PROJECTIONS: Final = (
    BY_CATEGORY,
    "$by_correlation_id",
    "$by_event_type",
    "$stream_by_category",
    "$streams",
)
_RUNBOOK: Final = "docs/operations/runbooks.md#events-that-reach-no-consumer-group"
_NO_ANSWER: Final = "EventStoreDB does not answer for its projections"


async def enable_system_projections(
    client: Client, names: Collection[str] = SYSTEM_PROJECTIONS
) -> None:
    """Enable those that the server has: they are disabled by default. Idempotent.

    Raises :class:`~application.ports.StoreUnavailable`, after ``DEADLINE`` seconds at the latest
    if the server does not answer: a follower, or one whose projections are just starting.
    """
    for name in names:
        with suppress(NotFound):
            async with answering(_NO_ANSWER):
                await client.enable_projection(name, timeout=DEADLINE)


async def category_links_hindered(client: Client) -> str | None:
    """Why ``$by_category`` makes no links now, and what to do; ``None`` while it runs.

    Raises :class:`~application.ports.StoreUnavailable`.
    """
    try:
        async with answering(_NO_ANSWER):
            found = await client.get_projection_statistics(name=BY_CATEGORY, timeout=DEADLINE)
    except NotFound:
        return _sentence("is not there", "start EventStoreDB with its system projections")
    if found.status.startswith("Running"):
        return None
    if "Faulted" in found.status:
        return _sentence(f"is faulted ({found.state_reason.strip() or 'no reason given'})")
    return _sentence(f"is {found.status.lower()}")


def _sentence(state: str, remedy: str = "run `links repair`") -> str:
    return (
        f"the server's projection {BY_CATEGORY} {state}. Until it runs, consumer groups get no new "
        f"events and nothing reacts to them: {remedy}, see {_RUNBOOK}"
    )

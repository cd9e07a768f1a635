"""Moving the position of the forwarder: what is published again by that, and what is skipped."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from application.claim_check import claim
from application.integration_events import Contract, Outgoing
from application.messages import RecordedEvent
from application.ports import ForwarderStanding, PayloadStore
from application.publishing_behind import ForwardingFailed
from application.whole_log import EventLog, Report, unreported, whole_log

Point = Callable[[RecordedEvent], bool]
"""Whether an event is published, counted from some place in the log."""


@dataclass(frozen=True)
class Replay:
    """What comes of going on at another position."""

    position: int
    """All events up to here are not published again."""
    records: Mapping[str, int]
    """That are published then, by topic, as of now."""
    again: int
    """Of these, those that have been published before."""
    skipped: int
    """Events that have not been published, and are not published then."""

    def standing(
        self, before: ForwarderStanding | None, by: str, at: datetime
    ) -> ForwarderStanding:
        """The standing to move to."""
        known = before or ForwarderStanding(-1, None, 0, at, by)
        return replace(known, position=self.position, last=None, at=at, holder=by, failure=None)


async def planned(
    log: EventLog,
    contract: Contract,
    payloads: PayloadStore | None,
    before: ForwarderStanding | None,
    counts: Point,
    report: Report = unreported,
) -> Replay:
    """What would be published from there on. Reads all events that are published.

    Raises ``StoreUnavailable``, and ``ForwardingFailed`` for an event that cannot be translated.
    """
    reached, position = before.position if before else -1, -1
    records: Counter[str] = Counter()
    again = skipped = 0
    async with whole_log(log, contract.events, report) as events:
        async for recorded in events:
            was_published = recorded.position <= reached
            if not counts(recorded):
                position = recorded.position
                skipped += not was_published
                continue
            made = await _made(contract, payloads, recorded)
            records.update(outgoing.topic for outgoing in made)
            again += len(made) * was_published
    return Replay(position, records, again, skipped)


async def _made(
    contract: Contract, payloads: PayloadStore | None, recorded: RecordedEvent
) -> Sequence[Outgoing]:
    try:
        return contract.outgoing(await claim(recorded, payloads))
    except Exception as error:  # a translation is the team's code
        raise ForwardingFailed(recorded, error) from error

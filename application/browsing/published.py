"""What an event has led to on the bus."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.browsing.places import Looking
from application.claim_check import claim
from application.messages import RecordedEvent, UnreadableEvent
from application.ports import PayloadUnavailable


@dataclass(frozen=True)
class Record:
    """A record that is published of an event."""

    topic: str
    key: str
    type: str
    published: bool | None
    """Whether it is on the bus; ``None``: the bus was not asked, or does not answer."""


async def records_of(
    looking: Looking, recorded: RecordedEvent, up_to: int | None
) -> Sequence[Record]:
    """The records of that event, where there is a bus; events up to ``up_to`` are on it."""
    contract = looking.service.contract
    if looking.published_up_to is None or recorded not in contract.events:
        return []
    published = None if up_to is None else recorded.position <= up_to
    try:
        outgoing = contract.outgoing(await claim(recorded, looking.payloads))
    except (PayloadUnavailable, UnreadableEvent):
        return []
    return [Record(one.topic, one.key, one.event.type, published) for one in outgoing]

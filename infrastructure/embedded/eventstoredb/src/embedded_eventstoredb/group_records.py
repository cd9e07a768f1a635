"""The records of a consumer group in the log: its checkpoint, its parked events, their
truncation.
"""

import json
from datetime import UTC, datetime
from typing import Final

from embedded_eventstoredb.consumer_group import Parking
from embedded_eventstoredb.errors import EXPECT_ANY, WrongExpectedVersion
from embedded_eventstoredb.group_progress import ParkedEvents
from embedded_eventstoredb.group_settings import (
    GroupSettings,
    compact_json,
    parse_position,
)
from embedded_eventstoredb.storage import (
    MAX_VERSION,
    NewRecord,
    Reading,
    Transaction,
)
from embedded_eventstoredb.streams import (
    LINK,
    METADATA,
    Resolved,
    append,
    delete,
    first_visible,
    is_found,
    read_stream,
)

_CHECKPOINT: Final = "$SubscriptionCheckpoint"
_KEPT_CHECKPOINTS: Final = 2


def checkpoint_stream(settings: GroupSettings) -> str:
    return f"$persistentsubscription-{settings.key}-checkpoint"


def parked_stream(settings: GroupSettings) -> str:
    return f"$persistentsubscription-{settings.key}-parked"


def load_checkpoint(reading: Reading, settings: GroupSettings) -> int | None:
    """The group's checkpoint, a version or position; None if it never wrote one."""
    stream = reading.stream(checkpoint_stream(settings))
    if not is_found(stream):
        return None
    newest = read_stream(reading, stream, MAX_VERSION, backwards=True, limit=1)
    return parse_position(json.loads(newest[0].data)) if newest else None


def load_parked(reading: Reading, settings: GroupSettings) -> ParkedEvents:
    """The group's parked events, from its parked stream."""
    stream = reading.stream(parked_stream(settings))
    end = stream.last_version + 1
    return ParkedEvents(min(first_visible(stream), end), end)


def write_checkpoint(transaction: Transaction, settings: GroupSettings, position: int) -> None:
    name = checkpoint_stream(settings)
    data = json.dumps(settings.position(position)).encode()
    append(transaction, name, EXPECT_ANY, [NewRecord(_CHECKPOINT, data, is_json=True)])
    stream = transaction.stream(name)
    if stream.max_count is None:
        _set_metadata(transaction, name, stream.truncate_before, _KEPT_CHECKPOINTS)


def park(transaction: Transaction, settings: GroupSettings, parking: Parking[Resolved]) -> int:
    """Link the event into the parked stream, with the reason.

    Returns the number of the link there.
    """
    original, event = parking.message.event.original, parking.message.event.event
    target = f"{event.version}@{event.stream}".encode() if event else original.data
    metadata = {
        "added": datetime.now(UTC).isoformat(),
        "reason": parking.reason,
        "subscriptionEventNumber": original.version,
    }
    link = NewRecord(LINK, target, compact_json(metadata))
    return append(transaction, parked_stream(settings), EXPECT_ANY, [link]).last_version


def truncate_parked(transaction: Transaction, settings: GroupSettings, before: int) -> None:
    _set_metadata(transaction, parked_stream(settings), before)


def delete_streams(transaction: Transaction, settings: GroupSettings) -> None:
    """Delete the streams of the checkpoint and the parked events, if they exist."""
    for name in (checkpoint_stream(settings), parked_stream(settings)):
        try:
            delete(transaction, name, EXPECT_ANY)
        except WrongExpectedVersion:  # never written
            continue


def _set_metadata(
    transaction: Transaction, name: str, before: int | None, max_count: int | None = None
) -> None:
    data = compact_json({"$tb": before, "$maxCount": max_count})
    metadata = NewRecord(METADATA, data, is_json=True)
    append(transaction, f"$${name}", EXPECT_ANY, [metadata])

"""Recorded events, of whose metadata only that is decoded which is asked for."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.messages import Context, RecordedEvent, UnreadableEvent
from tests.histories import LAW
from tests.sample.service import SAMPLE

moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


def recorded(metadata: bytes) -> RecordedEvent:
    return RecordedEvent(
        uuid4(),
        "TransferCancelled",
        b'{"reason":"too late"}',
        metadata,
        "transfer-1",
        0,
        0,
        datetime.now(UTC),
        SAMPLE.catalogue,
    )


@LAW
@given(command_id=st.uuids(), at=moments, version=st.integers(1, 9), whole_first=st.booleans())
def test_a_part_of_the_metadata_is_that_of_the_whole(
    command_id: UUID, at: datetime, version: int, whole_first: bool
) -> None:
    """Whichever is asked for first: command id, schema version, and when it happened."""
    written = Context.start("ada", command_id, at).metadata(version)
    event = recorded(written.to_json())
    if whole_first:
        assert event.metadata == written
    assert (event.occurred_at, event.command_id, event.schema_version) == (at, command_id, version)
    assert event.metadata == written


@pytest.mark.parametrize("left_out", ["command_id", "schema_version", "occurred_at"])
def test_an_event_of_another_system_says_that_it_is_none_of_ours(left_out: str) -> None:
    """Its metadata lacks what each of our events has; the error names the event."""
    written = Context.start("ada", uuid4(), datetime.now(UTC)).metadata(1)
    event = recorded(written.model_dump_json(by_alias=True, exclude={left_out}).encode())
    with pytest.raises(UnreadableEvent, match=r"TransferCancelled at transfer-1@0 .* its metadata"):
        _ = event.occurred_at

"""Ids of events, as clients send them."""

from uuid import UUID, uuid4

import pytest
from esdbclient.protos.Grpc import shared_pb2

from embedded_eventstoredb.errors import Refusal
from embedded_eventstoredb.records import id_text
from embedded_eventstoredb.wire import id_bytes

ID = UUID("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d")


@pytest.mark.parametrize("text", [str(ID), str(ID).upper(), ID.hex, f"{{{ID}}}"])
def test_an_id_is_taken_in_every_form(text: str) -> None:
    """A UUID is the same id in capitals, without dashes, and in braces."""
    assert id_bytes(shared_pb2.UUID(string=text)) == ID.bytes


@pytest.mark.parametrize("text", ["", "x", "g" * 32, f"{ID.hex} ", f"{ID}00"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """Text that is not a UUID is refused, also where it is as long as one, or is one and more."""
    with pytest.raises(Refusal, match="give a UUID"):
        id_bytes(shared_pb2.UUID(string=text))


def test_an_id_is_shown_as_a_uuid() -> None:
    """An id is written as UUIDs are, with all of its leading zeros."""
    for number in (uuid4(), UUID(int=1)):
        assert id_text(number.bytes) == str(number)

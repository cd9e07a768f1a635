"""What is encrypted reads back as it was, with its own key and in its own event only."""

import json
from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.personal.declared import declared
from application.personal.sealing import NAME, Draft, Key, Unopened, box_in
from application.sagas.events import SagaStarted
from domain.decider import Event
from domain.personal import MASK, Personal, Subject
from domain.values import Id, Text
from tests.application.test_personal_declared import Address, Child, CustomerJoined

ID = UUID(int=7)
KEY = Key(b"k" * 32)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
addresses = st.builds(Address, street=texts, country=texts)
joined = st.builds(
    CustomerJoined,
    customer_id=st.just("c-1"),
    name=texts,
    title=st.none() | texts,
    phone=st.none() | texts,
    born=st.dates(),
    addresses=st.lists(addresses, max_size=3).map(tuple),
    home=st.none() | addresses,
    children=st.dictionaries(texts, st.builds(Child, name=texts, age=st.integers()), max_size=2),
    nicknames=st.lists(texts, max_size=3).map(tuple),
    plan=texts,
)
ANN = CustomerJoined(
    customer_id="c-1",
    name='Ann "$personal": Smith',
    born=date(1990, 2, 3),
    home=Address(street="Elm Road 5", country="UK"),
)


class Guest(Event):
    customer_id: Annotated[Id | None, Subject] = None
    name: Annotated[Text | None, Personal] = None


class BornSometime(Event):
    customer_id: Annotated[Id, Subject]
    born: Annotated[date, Personal(mask="1900-01-01")] | Annotated[Text, Personal]


def draft_of(event: CustomerJoined) -> Draft:
    found = declared(CustomerJoined)
    assert found is not None
    return Draft(found, event.model_dump_json().encode(), "member-1")


def sealed(event: CustomerJoined, id: UUID = ID, key: Key = KEY) -> bytes:
    return draft_of(event).sealed("CustomerJoined", id, key)


def opened(data: bytes, key: Key | None = KEY, id: UUID = ID, type: str = "CustomerJoined") -> Any:
    box = box_in(data)
    assert box is not None
    return CustomerJoined.model_validate_json(box.opened(type, id, key))


@given(joined)
def test_what_is_sealed_is_opened_whole(event: CustomerJoined) -> None:
    """Every personal value comes back to its place, whatever its form; nothing else changes."""
    assert opened(sealed(event)) == event


@given(joined)
def test_without_the_key_the_event_reads_with_masks(event: CustomerJoined) -> None:
    """Optional fields that were set are masked, those that were not stay empty; the rest stays."""
    masked = opened(sealed(event), None)

    assert (masked.name, masked.born.isoformat(), masked.plan) == (MASK, "1900-01-01", event.plan)
    assert masked.title == (None if event.title is None else MASK)
    assert [one.street for one in masked.addresses] == [MASK] * len(event.addresses)
    assert [one.country for one in masked.addresses] == [one.country for one in event.addresses]
    assert {at: one.age for at, one in masked.children.items()} == {
        at: one.age for at, one in event.children.items()
    }
    assert masked == CustomerJoined.model_validate_json(draft_of(event).masked())
    assert masked == CustomerJoined.model_validate_json(sealed(event))  # unopened, too


@given(joined, joined)
def test_a_nonce_is_used_for_one_text_only(one: CustomerJoined, other: CustomerJoined) -> None:
    """The same event has the same bytes, whenever it is sealed; another text has another nonce."""
    box, again, another = (json.loads(sealed(event))[NAME]["box"] for event in (one, one, other))
    elsewhere = json.loads(sealed(one, uuid4()))[NAME]["box"]

    assert box == again
    assert box[:16] != elsewhere[:16]  # base64 of the nonce
    personal = [opened(sealed(event)).model_dump(exclude={"plan"}) for event in (one, other)]
    if personal[0] != personal[1]:
        assert box[:16] != another[:16] or box == another  # countries are not personal


def test_no_personal_text_is_left() -> None:
    """What is stored has neither the values nor parts of them."""
    data = sealed(ANN)

    for text in (b"Ann", b"Smith", b"1990", b"Elm"):
        assert text not in data
    assert b"UK" in data


@pytest.mark.parametrize(
    ("key", "id", "type"),
    [
        (Key(b"o" * 32), ID, "CustomerJoined"),
        (KEY, uuid4(), "CustomerJoined"),
        (KEY, ID, "CustomerLeft"),
    ],
)
def test_a_box_fits_into_its_own_event_only(key: Key, id: UUID, type: str) -> None:
    """Another key, another event and another type are errors, and never masks."""
    with pytest.raises(Unopened, match="damaged, or has another key"):
        opened(sealed(ANN), key, id, type)


@pytest.mark.parametrize("box", ["", "AAAA", "no base64 at all", "q" * 64, None, 5])
def test_damage_is_an_error(box: object) -> None:
    """A damaged box is found, and never taken for a forgotten person."""
    document = json.loads(sealed(ANN))
    document[NAME]["box"] = box

    with pytest.raises(Unopened):
        opened(json.dumps(document).encode())


def test_a_box_of_another_subject_does_not_open() -> None:
    """The subjects stand beside the box, and cannot be exchanged."""
    document = json.loads(sealed(ANN))
    document[NAME]["of"] = ["c-2"]

    with pytest.raises(Unopened):
        opened(json.dumps(document).encode())


def test_a_text_that_looks_like_a_box_is_a_text() -> None:
    """An event without a box has none, whatever its texts hold."""
    assert box_in(ANN.model_dump_json().encode()) is None


@pytest.mark.parametrize(
    "data",
    [b'"$personal"', b'["$personal"]', b'{"children":{"$personal":1}}', b'{"a":"$personal"}'],
)
def test_a_name_that_others_gave_is_no_box(data: bytes) -> None:
    """A box is a member of the event itself; within it, and in what others wrote, it is a text."""
    assert box_in(data) is None


def test_a_child_may_have_any_name() -> None:
    """Keys that people give do not make an event unreadable."""
    child = ANN.model_copy(update={"children": {NAME: Child(name="Bob", age=3)}})

    assert opened(sealed(child)) == child


def test_alternatives_share_a_place() -> None:
    """A value is encrypted once, although two types of one field are personal."""
    found = declared(BornSometime)
    assert found is not None
    for born in ("in spring", date(1990, 2, 3)):
        event = BornSometime(customer_id="c-1", born=born)
        draft = Draft(found, event.model_dump_json().encode(), "member-1")
        box = box_in(draft.sealed("BornSometime", ID, KEY))
        assert box is not None
        assert BornSometime.model_validate_json(box.opened("BornSometime", ID, KEY)) == event


def test_without_a_named_subject_the_stream_is_it() -> None:
    """An event about nobody's number is about whoever its stream is about."""
    guest = Guest(name="Bob")
    found = declared(Guest)
    assert found is not None
    assert draft_of(ANN).subjects == ("c-1",)
    assert Draft(found, guest.model_dump_json().encode(), "member-7").subjects == ("member-7",)


def test_facts_of_a_saga_are_sealed_within_its_first_event() -> None:
    """The subject is named in the facts, too; where they name nobody, it is the saga itself."""
    found = declared(CustomerJoined)
    assert found is not None
    started = SagaStarted(saga="welcome", version=1, facts=ANN.model_dump(mode="json"))
    draft = Draft(found.under("facts"), started.model_dump_json().encode(), "welcome-1")
    box = box_in(draft.sealed("SagaStarted", ID, KEY))

    assert draft.subjects == ("c-1",)
    assert b"Ann" not in draft.masked()
    assert box is not None
    assert SagaStarted.model_validate_json(box.opened("SagaStarted", ID, KEY)) == started
    assert Draft(found.under("facts"), b'{"facts":{"name":"Ann"}}', "w-1").subjects == ("w-1",)


def test_nobodys_key_is_needed_for_what_is_not_personal() -> None:
    """Without a value, and with masks only, there is nothing to encrypt."""
    found = declared(Guest)
    assert found is not None
    for name in (None, MASK):
        data = Guest(name=name).model_dump_json().encode()
        assert Draft(found, data, "member-7").subjects == ()


def test_a_box_of_several_needs_each_of_their_keys() -> None:
    """One key of several opens nothing."""
    other = Key(b"p" * 32)
    data = sealed(ANN, key=Key.of_all([KEY, other]))

    assert opened(data, Key.of_all([KEY, other])) == ANN
    for key in (KEY, other, Key.of_all([other, KEY])):
        with pytest.raises(Unopened):
            opened(data, key)

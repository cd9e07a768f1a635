"""An event type declares its personal data in its class, in whatever form the fields have."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, NamedTuple, NewType, NotRequired

import pytest
from pydantic import BaseModel, RootModel
from typing_extensions import TypedDict  # of pydantic, before Python 3.12

from application.category import Category
from application.personal.declared import EACH, Declared, PersonalField, WronglyDeclared, declared
from application.sagas.saga import Facts, Saga
from application.service import InvalidService, Service
from domain.decider import Decider, Event
from domain.personal import MASK, Personal, Subject
from domain.values import Id, Text
from tests.sample.money_transfer import money_transfer
from tests.sample.service import SAMPLE

NOTHING: Decider[Any, Any, Any] = Decider(None, lambda state, _: state, lambda *_: ())
PersonalText = Annotated[Text, Personal]


class Address(BaseModel):
    street: PersonalText
    country: Text


@dataclass(frozen=True)
class Child:
    name: PersonalText
    age: int


class CustomerJoined(Event):
    customer_id: Annotated[Id, Subject]
    name: PersonalText
    title: PersonalText | None = None
    phone: Annotated[Text | None, Personal] = None
    born: Annotated[date, Personal(mask="1900-01-01")]
    addresses: tuple[Address, ...] = ()
    home: Address | None = None
    children: Mapping[str, Child] = {}
    nicknames: tuple[PersonalText, ...] = ()
    plan: Text = "basic"


class AboutNobody(Event):
    text: Text


class AboutSomebody(Event):
    customer_id: Annotated[Id | None, Subject] = None


class WithoutSubject(Event):
    name: PersonalText


class WithTwoSubjects(Event):
    buyer: Annotated[Id, Subject]
    seller: Annotated[Id, Subject] | None = None


class WithANumber(Event):
    customer_id: Annotated[Id, Subject]
    age: Annotated[int, Personal]


class WithAPattern(Event):
    customer_id: Annotated[Id, Subject]
    code: Annotated[Id, Personal]


class WithKeys(Event):
    customer_id: Annotated[Id, Subject]
    ages: Mapping[PersonalText, int]


class Person(BaseModel):
    name: PersonalText
    friends: "tuple[Person, ...]" = ()


class Contact(TypedDict):
    phone: NotRequired[PersonalText]


class Nicknames(RootModel[tuple[PersonalText, ...]]):
    pass


class Pair(NamedTuple):
    name: PersonalText
    age: int


Nickname = NewType("Nickname", PersonalText)


class OfOtherKinds(Event):
    customer_id: Annotated[Id, Subject]
    contact: Contact
    nicknames: Nicknames
    nickname: Nickname


class WithANamedTuple(Event):
    customer_id: Annotated[Id, Subject]
    child: Pair


class WithATuple(Event):
    customer_id: Annotated[Id, Subject]
    child: tuple[PersonalText, int]


class WithALaterModel(Event):
    customer_id: Annotated[Id, Subject]
    later: "Later | None" = None


class Later(BaseModel):
    name: PersonalText


class WithFriends(Event):
    customer_id: Annotated[Id, Subject]
    person: Person


def test_fields_are_found_in_whatever_form_they_have() -> None:
    """Optional fields, nested models, dataclasses, lists and mappings: each by its path."""
    found = declared(CustomerJoined)

    assert found is not None
    assert found.subject == ("customer_id",)
    assert {one.path: one.mask for one in found.fields} == {
        ("name",): MASK,
        ("title",): MASK,
        ("phone",): MASK,
        ("born",): "1900-01-01",
        ("addresses", EACH, "street"): MASK,
        ("home", "street"): MASK,
        ("children", EACH, "name"): MASK,
        ("nicknames", EACH): MASK,
    }
    assert found.names == {"customer_id", "name", "title", "phone", "born", "street", "nicknames"}


def test_a_model_that_is_defined_later_is_looked_into() -> None:
    """The order of two classes in a page makes no difference."""
    found = declared(WithALaterModel)

    assert found is not None
    assert [one.path for one in found.fields] == [("later", "name")]


def test_fields_are_found_in_types_of_other_kinds() -> None:
    """Typed dictionaries, models of one value, and new names of a type."""
    found = declared(OfOtherKinds)

    assert found is not None
    assert [one.path for one in found.fields] == [
        ("contact", "phone"),
        ("nicknames", EACH),
        ("nickname",),
    ]


def test_an_event_need_not_be_about_a_person() -> None:
    """Most events declare nothing, and some only whom they are about."""
    assert declared(AboutNobody) is None
    assert declared(AboutSomebody) == Declared(("customer_id",), ())
    assert declared(CustomerJoined) is declared(CustomerJoined)  # found once
    assert PersonalField(("name",), MASK) in (declared(CustomerJoined) or Declared((), ())).fields


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (WithoutSubject, "no field is its data subject: mark one"),
        (WithTwoSubjects, "buyer and seller is its data subject: mark one"),
        (WithANumber, "age: its type cannot hold the mask '•••': give one that it can"),
        (WithAPattern, "code: its type cannot hold the mask"),
        (WithKeys, "ages: the keys of a mapping cannot be masked"),
        (WithANamedTuple, "child: the places of a tuple have no names"),
        (WithATuple, "child: the places of a tuple have no names"),
        (WithFriends, "a model in it holds itself"),
    ],
)
def test_what_cannot_be_masked_is_refused_at_the_start(event: type[Event], why: str) -> None:
    """A service with such an event cannot be declared; the message names event and field."""
    with pytest.raises(WronglyDeclared, match=f"{event.__name__}: {why}"):
        declared(event)
    with pytest.raises(InvalidService, match=f"club: {event.__name__}: {why}"):
        Service("club", (Category("member", NOTHING, (), (event,)),))


class FactsOfAPerson(Facts):
    customer_id: Annotated[Id, Subject]
    name: PersonalText


def test_facts_of_sagas_are_declared_as_events_are() -> None:
    """What a saga keeps of a person is encrypted in its first event, and is shown masked."""
    facts: Any = FactsOfAPerson
    saga: Saga[Any] = replace(money_transfer, facts=facts)
    service: Service[Any] = replace(SAMPLE, sagas=(saga,))

    started = service.encrypted["money_transfer", "SagaStarted"]
    assert started.subject == ("facts", "customer_id")
    assert [one.path for one in started.fields] == [("facts", "name")]
    assert service.personal >= {"customer_id", "name"}


def test_a_service_without_personal_data_encrypts_nothing() -> None:
    """Not even its snapshots."""
    member = Category("member", NOTHING, (), (AboutNobody, AboutSomebody))

    assert Service("club", (member,)).encrypted == {}
    assert ("snapshot", "SnapshotTaken") in SAMPLE.encrypted


def test_one_declaration_says_what_is_shown_masked() -> None:
    """The names of a service's personal fields come from its events."""
    member = Category("member", NOTHING, (), (CustomerJoined, AboutNobody))

    assert Service("club", (member,)).personal >= {"customer_id", "born", "street"}
    assert "country" not in Service("club", (member,)).personal

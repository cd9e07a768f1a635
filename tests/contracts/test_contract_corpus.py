"""Which changes of an integration event can be released under the same version."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field

from application import event_schemas
from application.integration_events import IntegrationEvent, Publication
from application.receiving.incoming import Incoming
from application.service import Service
from domain.values import Money
from tests.contracts import released_contract_laws as laws
from tests.contracts.compatibility import unreadable
from tests.contracts.contract_corpus import ContractCorpus
from tests.contracts.schema_shapes import knowing_all
from tests.sample.accounts import Deposited
from tests.sample.aggregates import ACCOUNT

Country = Literal["FR", "GB"]


class Opened(IntegrationEvent, name="account.opened"):
    """As it was released."""

    account_id: str
    country: Country
    note: str | None = None


def corpus(
    home: Path,
    event: type[IntegrationEvent] | None,
    *,
    received: bool = False,
    topic: str = "other.accounts",
    sample: Any = None,
    **options: Any,
) -> ContractCorpus:
    """Of a service that publishes or receives this one event."""
    events = (event,) if event else ()
    service: Service[Any] = Service(
        name="library",
        categories=(ACCOUNT,),
        publishes=(
            () if received else (Publication(ACCOUNT, {Deposited: lambda *_: None}, events),)
        ),
        receives=(
            (Incoming("other", (topic,), {event: lambda _: ()}),) if received and event else ()
        ),
    )
    given = sample or {"account_id": "a-1", "country": "FR"}
    samples = [event.model_validate(given)] if event else []
    return ContractCorpus(home, "tests.x", service, samples, **options)


def problems(of: ContractCorpus) -> str:
    """Of the one event."""
    [form] = of.declared.values()
    return "\n".join(of.breaks(form))


class WithoutNote(IntegrationEvent, name="account.opened"):
    account_id: str
    country: Country


class WithoutCountry(IntegrationEvent, name="account.opened"):
    account_id: str
    note: str | None = None


class WithEmail(IntegrationEvent, name="account.opened"):
    account_id: str
    country: Country
    note: str | None = None
    email: str | None = None


class NeedsEmail(IntegrationEvent, name="account.opened"):
    account_id: str
    country: Country
    note: str | None = None
    email: str


class NeedsNote(IntegrationEvent, name="account.opened"):
    account_id: str
    country: Country
    note: str


class MayLackCountry(IntegrationEvent, name="account.opened"):
    account_id: str
    country: Country | None = None
    note: str | None = None


class MoreCountries(IntegrationEvent, name="account.opened"):
    account_id: str
    country: Literal["FR", "GB", "IE"]
    note: str | None = None


class FewerCountries(IntegrationEvent, name="account.opened"):
    account_id: str
    country: Literal["FR"]
    note: str | None = None


class NumberedAccount(IntegrationEvent, name="account.opened"):
    account_id: int
    country: Country
    note: str | None = None


class EmptyNote(IntegrationEvent, name="account.opened"):
    account_id: str
    country: Country
    note: str | None = ""


class NothingElse(Opened, name="account.opened"):
    model_config = ConfigDict(extra="forbid")


BREAKS_CONSUMERS: Final = {
    WithoutCountry: "country: it may be missing, and is required where it is read",
    WithoutNote: "note: the field is not known where it is read",
    NeedsEmail: "email: it may be missing, and is required where it is read",
    NeedsNote: "note: null is not read",
    MayLackCountry: "country: null is not read",
    MoreCountries: 'country: "IE" is not read',
    FewerCountries: 'country: "GB" is not read',
    NumberedAccount: "account_id: integer is not read, only string",
    EmptyNote: 'note: where it is missing, "" is meant',
}
BREAKS_PUBLISHERS: Final = {
    NeedsEmail: "email: it may be missing, and is required where it is read",
    NeedsNote: "note: it may be missing",
    FewerCountries: 'country: "GB" is not read',
    NumberedAccount: "account_id: string is not read, only integer",
    EmptyNote: "note: where it is missing, null is meant",
    NothingElse: "the data: unknown fields are refused",
}
EVERY_CHANGE: Final = (*BREAKS_CONSUMERS, WithEmail, NothingElse)


@pytest.mark.parametrize("event", EVERY_CHANGE)
def test_what_is_published_keeps_its_form(tmp_path: Path, event: type[IntegrationEvent]) -> None:
    """Consumers can read new records as before, and what they read before stays in the topic."""
    corpus(tmp_path, Opened).freeze()

    found = problems(corpus(tmp_path, event, sample=valid(event)))

    assert BREAKS_CONSUMERS.get(event, "") in found
    assert (found == "") == (event not in BREAKS_CONSUMERS)


@pytest.mark.parametrize("event", EVERY_CHANGE)
def test_what_is_received_can_be_sent_as_before(
    tmp_path: Path, event: type[IntegrationEvent]
) -> None:
    """The other party knows the released form, and goes on with it."""
    corpus(tmp_path, Opened, received=True).freeze()

    found = problems(corpus(tmp_path, event, received=True, sample=valid(event)))

    assert BREAKS_PUBLISHERS.get(event, "") in found
    assert (found == "") == (event not in BREAKS_PUBLISHERS)


def valid(event: type[IntegrationEvent]) -> dict[str, Any]:
    """Data for any of these classes."""
    id: Any = 1 if event is NumberedAccount else "a-1"
    known = {"account_id": id, "country": "FR", "note": "x", "email": "x"}
    return {name: value for name, value in known.items() if name in event.model_fields}


def test_a_field_that_was_added_cannot_be_taken_back(tmp_path: Path) -> None:
    """A compatible form is released as well, and from then on, others may rely on it."""
    corpus(tmp_path, Opened).freeze()
    corpus(tmp_path, WithEmail).freeze()

    assert sorted(file.name for file in tmp_path.glob("*/*/*")) == [
        "1.0.data.json",
        "1.0.json",
        "1.1.data.json",
        "1.1.json",
    ]
    assert problems(corpus(tmp_path, Opened)).startswith(
        "1.1: its records, read in the new form: email: the field is not known"
    )


def test_a_breaking_form_is_not_frozen(tmp_path: Path) -> None:
    """The message names what breaks, and how to make a new version."""
    corpus(tmp_path, Opened).freeze()

    with pytest.raises(SystemExit, match=r"country: .*(?s:.*)declare the new form as version=2"):
        corpus(tmp_path, WithoutCountry).freeze()

    assert len([*tmp_path.glob("*/*/*")]) == 2


def test_nothing_frozen_is_written_again(tmp_path: Path) -> None:
    """Freezing can be repeated."""
    corpus(tmp_path, Opened).freeze()
    before = {file: file.read_text() for file in tmp_path.glob("*/*/*")}

    corpus(tmp_path, Opened, sample={"account_id": "another", "country": "GB"}).freeze()

    assert {file: file.read_text() for file in tmp_path.glob("*/*/*")} == before


def test_another_topic_breaks_its_readers(tmp_path: Path) -> None:
    """Consumers have subscribed to it, and publishers write to it."""
    corpus(tmp_path, Opened, received=True).freeze()

    moved = corpus(tmp_path, Opened, received=True, topic="other.people")

    assert "its topics: others use other.accounts" in problems(moved)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Card(BaseModel):
    means: Literal["card"]
    digits: Annotated[str, Field(pattern=r"^\d{4}$")]


class Voucher(BaseModel):
    model_config = ConfigDict(extra="forbid")

    means: Literal["voucher"]
    worth: Money


class OfEveryKind(IntegrationEvent, name="account.everything"):
    """Each kind of field that an event may need."""

    at: datetime
    day: date
    id: UUID
    amount: Decimal
    raw: bytes
    colour: Colour
    paid: Annotated[Card | Voucher, Field(discriminator="means")]
    pair: tuple[int, str]
    several: frozenset[int]
    by_name: dict[Annotated[str, Field(pattern="^[a-z]+$", max_length=9)], Card]
    ratio: Annotated[float, Field(gt=0, lt=1)]
    anything: Any
    later: Card | None = None


@pytest.mark.parametrize("made", [event_schemas.written, event_schemas.read])
def test_fields_of_every_kind_can_be_judged(made: Callable[[Any], Any]) -> None:
    """The unchanged form is no objection, so that only changes are reported."""
    schema = made(OfEveryKind)

    assert list(unreadable(schema, schema)) == []
    assert list(unreadable(schema, knowing_all(schema))) == []


def test_a_version_leaves_with_a_reason_and_stays_away(tmp_path: Path) -> None:
    """What is no longer declared is named, and what is named is not declared again."""
    retired = {"library.account.opened.v1": "nobody reads it"}
    corpus(tmp_path, Opened).freeze()

    laws.test_every_version_is_released_or_retired(corpus(tmp_path, None, retired=retired))
    with pytest.raises(AssertionError, match=r"library\.account\.opened\.v1 was released"):
        laws.test_every_version_is_released_or_retired(corpus(tmp_path, None))
    with pytest.raises(AssertionError, match=r"library\.account\.opened\.v1 is retired"):
        laws.test_every_version_is_released_or_retired(corpus(tmp_path, Opened, retired=retired))


def test_a_new_event_needs_a_sample(tmp_path: Path) -> None:
    """Its data is frozen with its form."""
    without = replace(corpus(tmp_path, Opened), samples=())

    with pytest.raises(LookupError, match=r"tests\.x needs one sample of account\.opened\.v1"):
        without.freeze()

    assert [*tmp_path.glob("*/*/*")] == []

"""What a service publishes is declared, translated by pure functions, and put into CloudEvents."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from application.integration_events import (
    IntegrationEvent,
    Kind,
    Outgoing,
    Publication,
    Undeclared,
)
from application.service import InvalidService, Service
from domain.decider import Event
from domain.values import Money
from tests.projection_specification import at, recorded
from tests.sample.accounts import Deposited
from tests.sample.aggregates import ACCOUNT, TRANSFER
from tests.sample.integration_events import ACCOUNTS, TRANSFERS, Completed, Requested
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferApproved, TransferRequested
from tests.sample.values import AccountId, TransferId

REQUESTED = TransferRequested(
    source="ann", target="bob", amount=300, fee=Money.parse("0.5 EUR"), note="for the rent"
)


def published(stream: str, event: Event) -> Sequence[Outgoing]:
    """What the bank publishes of this event."""
    return SAMPLE.contract.outgoing(recorded(SAMPLE.catalogue, [(stream, event)])[0])


def test_a_domain_event_becomes_a_cloud_event_with_its_id_and_its_origin() -> None:
    """Id, time and causes are those of the domain event; the key is the id of its stream."""
    [source] = recorded(SAMPLE.catalogue, [("transfer-t-1", REQUESTED)])
    [outgoing] = SAMPLE.contract.outgoing(source)

    assert (outgoing.topic, outgoing.key) == ("bank.transfer", "t-1")
    event = outgoing.event
    assert event.id == str(source.id)
    assert event.type == "bank.transfer.requested.v1"
    assert (event.source, event.subject) == ("/bank/transfer", "t-1")
    assert event.dataschema == "urn:bank:transfer.requested:1"
    assert event.time == at(0)
    assert event.correlation_id == source.metadata.correlation_id
    assert event.causation_id == source.metadata.causation_id
    assert json.loads(event.data) == {
        "transfer_id": "t-1",
        "source": "ann",
        "target": "bob",
        "amount": 300,
    }


def test_a_translation_may_publish_nothing() -> None:
    """Some events of a type concern others, some do not."""
    assert published("account-ann", Deposited(deposit_id="d-1", amount=5))
    assert not published("account-ann", Deposited(deposit_id="thanks:t-1", amount=1))


def test_only_events_with_a_translation_are_wanted() -> None:
    """The subscription does not even read the others."""
    wanted = SAMPLE.contract.events
    assert wanted.admits("transfer-t-1", "TransferRequested")
    assert not wanted.admits("transfer-t-1", TransferApproved.__name__)
    assert not wanted.admits("account-t-1", "TransferRequested")


def test_a_translation_returns_only_what_is_declared() -> None:
    """What a publication does not declare would be missing in the published contract."""
    publication = replace(TRANSFERS, publishes=(Completed,))
    service = replace(SAMPLE, publishes=(publication,))
    [source] = recorded(service.catalogue, [("transfer-t-1", REQUESTED)])
    with pytest.raises(Undeclared, match=r"transfer\.requested\.v1 is not among .*bank\.transfer"):
        service.contract.outgoing(source)


class Again(IntegrationEvent, name="transfer.requested"):
    """Another form under the name and version of one that there is."""


class Newer(IntegrationEvent, name="transfer.requested", version=2):
    """The next version of it."""


class RequestedInMoney(IntegrationEvent, name="transfer.requested", version=2):
    """Somebody wants an amount to go from one account to another. It has a currency."""

    transfer_id: TransferId
    source: AccountId
    target: AccountId
    amount: Money


def in_both_versions(id: str, event: TransferRequested) -> tuple[Requested, RequestedInMoney]:
    accounts = {"transfer_id": id, "source": event.source, "target": event.target}
    money = Money(amount=Decimal(event.amount), currency="EUR")
    return Requested(**accounts, amount=event.amount), RequestedInMoney(**accounts, amount=money)


def test_two_versions_of_one_fact_are_published_side_by_side() -> None:
    """Both have the id of the domain event, so a consumer that reads both handles it once."""
    publication = replace(
        TRANSFERS,
        translations={TransferRequested: in_both_versions},
        publishes=(Requested, RequestedInMoney),
    )
    service = replace(SAMPLE, publishes=(publication,))
    [source] = recorded(service.catalogue, [("transfer-t-1", REQUESTED)])

    older, newer = service.contract.outgoing(source)

    assert older.event.type == "bank.transfer.requested.v1"
    assert newer.event.type == "bank.transfer.requested.v2"
    assert older.event.id == newer.event.id == str(source.id)
    assert json.loads(newer.event.data)["amount"] == "300 EUR"


def also(*events: type[IntegrationEvent]) -> dict[str, Any]:
    return {"publishes": (replace(TRANSFERS, publishes=(*TRANSFERS.publishes, *events)),)}


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        (also(Again), r"integration event: transfer\.requested\.v1"),
        ({"publishes": (TRANSFERS, TRANSFERS)}, "two of one name as publication: transfer"),
        ({"publishes": (ACCOUNTS,)}, "publication of account reads Deposited in account: declare"),
    ],
)
def test_a_contradiction_is_refused_and_named(declared: dict[str, Any], why: str) -> None:
    """A kind twice, two publications of a category, and a category that is not there."""
    with pytest.raises(InvalidService, match=f"bank: .*{why}"):
        Service(**{"name": "bank", "categories": (TRANSFER,), **declared})


def test_two_versions_of_one_event_may_be_published() -> None:
    """Under one name, each version is a form of its own."""
    service: Service[Any] = Service("bank", (TRANSFER,), **also(Newer))
    assert service.contract.event_type(Newer) == "bank.transfer.requested.v2"


def test_an_event_of_another_category_cannot_be_translated() -> None:
    """The publication names the event that the category does not have."""
    with pytest.raises(ValueError, match="account has no event TransferRequested"):
        Publication(ACCOUNT, {TransferRequested: lambda *_: None}, (Requested,))


@pytest.mark.parametrize("name", ["", "shipped", "Order.Shipped", "order.", "order shipped"])
def test_a_name_says_what_and_what_happened(name: str) -> None:
    """It becomes a part of a type and of a URN, so it has few characters."""
    with pytest.raises(ValueError, match="is not an integration event: write it order"):
        Kind(name, 1)


def test_versions_count_from_one() -> None:
    """A version of 0 is a mistake."""
    with pytest.raises(ValueError, match=r"order\.shipped has the version 0"):
        Kind("order.shipped", 0)

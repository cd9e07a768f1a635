"""What is sent is what the contract says: a suite that is run on one service.

It needs a fixture ``described``: the program, and domain events that lead to each of its
integration events. A forwarder publishes them, and every record is judged by the printed document.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft7Validator

from application.forwarding import Forwarder
from application.integration_events import Outgoing
from application.log_end import LogEnd
from application.messages import Context
from application.ports import NO_STREAM, Bus, BusRecord
from application.writability import Writability
from domain.decider import Event
from infrastructure import kafka, memory
from infrastructure.asyncapi import document
from infrastructure.kafka.cloud_events import headers
from infrastructure.program import Program
from tests.application.test_forwarding import Observed, running
from tests.kafka_topics import committed, settings
from tests.waiting import until

__all__ = ["sent", "test_every_message_that_is_described_is_sent", "test_records_are_as_described"]


@dataclass(frozen=True)
class Described:
    """A program, and domain events by the name of their stream."""

    program: Program[Any]
    events: Mapping[str, Sequence[Event]]

    async def log(self) -> memory.EventStore:
        """A log with these events."""
        catalogue = self.program.service.catalogue
        store = memory.EventStore(catalogue)
        for stream, events in self.events.items():
            context = Context.start("a test", uuid4(), datetime.now(UTC))
            new = [catalogue.new_event(event, uuid4(), context) for event in events]
            await store.append(stream, new, NO_STREAM)
        return store

    @asynccontextmanager
    async def published(self, bus: Bus) -> AsyncIterator[None]:
        """Until the context ends, a forwarder runs that has published them."""
        contract, log, observed = self.program.service.contract, await self.log(), Observed()
        own = [one for one in log.after(-1, 10_000) if one in contract.events]
        expected = sum(len(contract.outgoing(recorded)) for recorded in own)
        subscriptions = memory.Subscriptions(log)
        forwarder = Forwarder(
            *(contract, subscriptions, log, None, bus, memory.Leases()),
            LogEnd(subscriptions, Writability(log, "here")),
            observed,
            holder="a test",
        )
        async with running(forwarder):
            await until(lambda: sum(observed.sizes) == expected)
            yield


@dataclass(frozen=True)
class Sent:
    """The records that were sent, and the contract that a partner was given."""

    records: Sequence[BusRecord]
    contract: Mapping[str, Any]

    def messages(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Topic, type and message of all that the contract says is sent."""
        for operation in self.contract["operations"].values():
            if operation["action"] == "send":
                channel = self.at(operation["channel"])
                for type, reference in channel["messages"].items():
                    yield channel["address"], type, self.at(reference)

    def at(self, reference: Mapping[str, str]) -> Any:
        node: Any = self.contract
        for name in reference["$ref"].removeprefix("#/").split("/"):
            node = node[name]
        return node


@pytest.fixture(params=["memory", "kafka (real)"])
async def sent(request: pytest.FixtureRequest, described: Described) -> Sent:
    """What a forwarder sends, over each bus."""
    service = described.program.service
    topics = service.contract.topics
    if request.param == "memory":
        bus = memory.Bus(topics)
        async with described.published(bus):
            records = [record_of(one) for there in bus.records.values() for one in there]
            return Sent(records, document(described.program))
    address, prefix = request.getfixturevalue("kafka"), f"{uuid4()}."
    on_kafka = kafka.Bus(settings(address), service.name, topics, prefix)
    await on_kafka.create_topics(partitions=1, replication=1)
    async with described.published(on_kafka):
        read = await asyncio.to_thread(committed, address, *(f"{prefix}{one}" for one in topics))
        return Sent(read, document(described.program, prefix=prefix))


def record_of(outgoing: Outgoing) -> BusRecord:
    """As Kafka would have it."""
    written = [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in headers(outgoing.event)
    ]
    return BusRecord(outgoing.topic, 0, 0, outgoing.key.encode(), outgoing.event.data, written)


def test_every_message_that_is_described_is_sent(sent: Sent) -> None:
    """Every topic, type and version of the contract, and none besides."""
    found = {(one.topic, _headers(one)["ce_type"]) for one in sent.records}

    assert found == {(topic, type) for topic, type, _ in sent.messages()}


def test_records_are_as_described(sent: Sent) -> None:
    """Data and headers are valid by their schemas, and no header is there that is not described."""
    described = {(topic, type): message for topic, type, message in sent.messages()}
    for record in sent.records:
        require_described(record, described[record.topic, _headers(record)["ce_type"]])
        assert record.key == _headers(record)["ce_subject"].encode()


def require_described(record: BusRecord, message: Mapping[str, Any]) -> None:
    """Fails unless the record is one of these messages."""
    headers, in_headers = _headers(record), message["headers"]["schema"]
    Draft7Validator(in_headers).validate(headers)
    Draft7Validator(message["payload"]["schema"]).validate(json.loads(record.value or b""))
    assert {*headers} <= {*in_headers["properties"]}


def _headers(record: BusRecord) -> dict[str, str]:
    found = {name: (value or b"").decode() for name, value in record.headers}
    assert len(found) == len([*record.headers])  # none stands there twice
    return found

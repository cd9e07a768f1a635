"""What a service publishes and receives, as an AsyncAPI 3.0 document. It needs no bus.

A channel is a topic. A message is a version of an integration event: its headers, which are the
attributes of CloudEvents 1.0 in binary mode, and the JSON Schema of its data.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, Literal

from application import event_schemas
from application.event_schemas import Schema
from application.integration_events import Contract, IntegrationEvent, Publication
from application.service import Service
from infrastructure.program import Program

Document = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_REQUIRED: Final[Mapping[str, Schema]] = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": {**_TEXT, "description": "Unique with ce_source. A repetition has the same id."},
    "ce_source": _TEXT,
}
_OPTIONAL: Final[Mapping[str, Schema]] = {
    "content-type": {"const": "application/json"},
    "ce_subject": {**_TEXT, "description": "The id of what the event is about."},
    "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
    "ce_dataschema": {"type": "string", "format": "uri"},
    "ce_correlationid": {**_TEXT, "description": "The same for all that follows from a request."},
    "ce_causationid": {**_TEXT, "description": "The id of the message that led to it."},
    "ce_traceparent": {**_TEXT, "description": "The trace, as W3C Trace Context writes it."},
    "ce_actor": {**_TEXT, "description": "Who did it: issuer and subject, or a machine."},
    "ce_onbehalfof": {**_TEXT, "description": "Who set it off, where a machine did it."},
}
_SENT: Final = ("content-type", "ce_subject", "ce_time", "ce_dataschema", "ce_correlationid")
"""What the service writes besides, in every record."""
_KEY: Final[Schema] = {
    "type": "string",
    "description": "The id of the aggregate. Records of one key are in order.",
}
_ANY_KEY: Final[Schema] = {
    "type": "string",
    "description": "Records of one key are handled in order.",
}
_JSON_SCHEMA: Final = "application/schema+json;version=draft-07"


@dataclass(frozen=True)
class _Channel:
    """A topic with the messages that go one way, each by its CloudEvents type."""

    topic: str
    action: Literal["send", "receive"]
    messages: Mapping[str, Document]


def document(program: Program[Any], *, prefix: str = "") -> Document:
    """The contract of its service: of one service always the same, in the same order.

    ``prefix``: what the names of its topics begin with on the bus.
    Raises :class:`~application.event_schemas.RefersToItself`.
    """
    channels = [*_sent(program.service), *_received(program.service)]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": program.title, "version": version(program.distribution)},
        "defaultContentType": "application/json",
        "channels": dict(_by_topic(channels, prefix)),
        "operations": {f"{one.action}.{one.topic}": _operation(one) for one in channels},
        "components": {
            "messages": {type: body for one in channels for type, body in one.messages.items()}
        },
    }


def _sent(service: Service[Any]) -> Iterator[_Channel]:
    contract = service.contract
    for publication in contract.publications:
        messages = {
            contract.event_type(event): _message(
                event,
                event_schemas.written(event),
                _headers_sent(contract, publication, event),
                _KEY,
            )
            for event in publication.publishes
        }
        yield _Channel(contract.topic(publication), "send", messages)


def _received(service: Service[Any]) -> Iterator[_Channel]:
    for incoming in service.receives:
        messages = {
            type: _message(event, event_schemas.read(event), _headers_received(type), _ANY_KEY)
            for type, event in incoming.by_type.items()
        }
        for topic in incoming.topics:
            yield _Channel(topic, "receive", messages)


def _headers_sent(
    contract: Contract, publication: Publication, event: type[IntegrationEvent]
) -> Schema:
    known = {
        "ce_type": contract.event_type(event),
        "ce_source": contract.source(publication),
        "ce_dataschema": contract.dataschema(event),
    }
    return _headers(known, always=_SENT)


def _headers_received(type: str) -> Schema:
    return _headers({"ce_type": type})


def _headers(known: Mapping[str, str], always: Iterable[str] = ()) -> Schema:
    """``known``: those whose value is always the same."""
    constant = {name: {"const": value} for name, value in known.items()}
    return {
        "type": "object",
        "required": sorted({*_REQUIRED, *known, *always}),
        "properties": dict(sorted({**_REQUIRED, **_OPTIONAL, **constant}.items())),
    }


def _message(event: type[IntegrationEvent], data: Schema, headers: Schema, key: Schema) -> Document:
    return {
        "title": f"{event.kind.name}, version {event.kind.version}",
        "summary": data.get("description", ""),
        "contentType": "application/json",
        "headers": {"schemaFormat": _JSON_SCHEMA, "schema": headers},
        "payload": {"schemaFormat": _JSON_SCHEMA, "schema": data},
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _by_topic(channels: Iterable[_Channel], prefix: str) -> Iterator[tuple[str, Document]]:
    messages: defaultdict[str, Document] = defaultdict(dict)
    for one in channels:
        messages[one.topic] |= {
            type: {"$ref": f"#/components/messages/{type}"} for type in one.messages
        }
    for topic, referring in messages.items():
        yield topic, {"address": prefix + topic, "messages": referring}


def _operation(channel: _Channel) -> Document:
    at = f"#/channels/{channel.topic}"
    return {
        "action": channel.action,
        "channel": {"$ref": at},
        "messages": [{"$ref": f"{at}/messages/{type}"} for type in channel.messages],
    }

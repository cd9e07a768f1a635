"""A CloudEvent as a record, in binary mode: attributes are headers, and the value is the data."""

from typing import Final

from application.integration_events import CloudEvent, Outgoing

Headers = list[tuple[str, str | bytes | None]]

_FIRST: Final[Headers] = [("content-type", "application/json"), ("ce_specversion", "1.0")]
_LONGEST: Final = 8_000  # bytes of all attributes but the subject: names, ids and a time
_OVERHEAD: Final = 128  # bytes at most: what frames a batch, and a record without its headers
_OF_A_HEADER: Final = 10  # bytes at most: the lengths of name and value
_OF_A_CHARACTER: Final = 4  # bytes at most


def headers(event: CloudEvent) -> Headers:
    """As the Kafka binding of CloudEvents 1.0 has it."""
    found: Headers = [
        *_FIRST,
        ("ce_id", event.id),
        ("ce_type", event.type),
        ("ce_source", event.source),
    ]
    if event.subject:
        found.append(("ce_subject", event.subject))
    if event.time:
        found.append(("ce_time", event.time.isoformat()))
    if event.dataschema:
        found.append(("ce_dataschema", event.dataschema))
    if event.correlation_id:
        found.append(("ce_correlationid", event.correlation_id))
    if event.causation_id:
        found.append(("ce_causationid", event.causation_id))
    if event.traceparent:
        found.append(("ce_traceparent", event.traceparent))
    if event.actor:
        found.append(("ce_actor", event.actor))
    if event.on_behalf_of:
        found.append(("ce_onbehalfof", event.on_behalf_of))
    return found


def size_above(limit: int, outgoing: Outgoing, headers: Headers) -> int | None:
    """The bytes of its record, alone in a batch, at most; ``None`` up to the limit."""
    subject = 2 * _OF_A_CHARACTER * len(outgoing.key)  # which is the key, too
    if len(outgoing.event.data) + subject + _LONGEST <= limit:  # true of most, and quicker
        return None
    texts = [outgoing.key, *(text for header in headers for text in header)]
    ours = sum(len(str(text or "").encode()) for text in texts) + _OF_A_HEADER * len(headers)
    exact = len(outgoing.event.data) + ours + _OVERHEAD
    return exact if exact > limit else None

"""The five system projections, as a new log holds them: disabled until they are started."""

from typing import Final

from embedded_eventstoredb.projections.definitions import Definition

_STANDARD: Final = "native:EventStore.Projections.Core.Standard"
_BY_FIRST_DASH: Final = "first\r\n-"

STANDARD: Final = tuple(
    Definition(name, f"{_STANDARD}.{handler}", query, enabled=False, emit_enabled=True)
    for name, handler, query in (
        ("$streams", "IndexStreams", ""),
        ("$stream_by_category", "CategorizeStreamByPath", _BY_FIRST_DASH),
        ("$by_category", "CategorizeEventsByStreamPath", _BY_FIRST_DASH),
        ("$by_event_type", "IndexEventsByEventType", ""),
        (
            "$by_correlation_id",
            "ByCorrelationId",
            '{"correlationIdProperty":"$correlationId"}',
        ),
    )
)

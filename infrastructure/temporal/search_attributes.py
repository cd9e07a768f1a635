"""What operators find a saga by in Temporal: its id, and how it stands."""

from typing import Final

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

SAGA_ID: Final = SearchAttributeKey.for_keyword("SagaId")
SAGA_STATUS: Final = SearchAttributeKey.for_keyword("SagaStatus")
KEYS: Final = (SAGA_ID, SAGA_STATUS)


def of(id: str, status: str) -> TypedSearchAttributes:
    """Those of one saga."""
    return TypedSearchAttributes(
        [SearchAttributePair(SAGA_ID, id), SearchAttributePair(SAGA_STATUS, status)]
    )

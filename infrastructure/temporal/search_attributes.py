"""What operators find a saga by in Temporal: its id, and how it stands."""

from typing import Final

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

SAGA_ID: Final = SearchAttributeKey.for_keyword("SagaId")
SAGA_STATUS: Final = SearchAttributeKey.for_keyword("SagaStatus")
KEYS: Final = (SAGA_ID, SAGA_STATUS)

log: Final = structlog.stdlib.get_logger(__name__)


def of(id: str, status: str) -> TypedSearchAttributes:
    """Those of one saga."""
    return TypedSearchAttributes(
        [SearchAttributePair(SAGA_ID, id), SearchAttributePair(SAGA_STATUS, status)]
    )


async def made_searchable(client: Client) -> bool:
    """Whether the namespace has them, or has got them now."""
    of = client.namespace
    try:
        there = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=of)
        )
        missing = [key.name for key in KEYS if key.name not in there.custom_attributes]
        if missing:
            kinds = dict.fromkeys(missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=of, search_attributes=kinds)
            )
    except RPCError as error:
        log.warning(
            "sagas cannot be searched in Temporal: add the search attributes",
            attributes=[key.name for key in KEYS],
            reason=error.message,
        )
        return False
    return True

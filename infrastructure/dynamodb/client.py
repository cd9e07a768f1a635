"""The client of DynamoDB: opened over one endpoint, with bounded waits."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import get_session
from botocore.loaders import create_loader

from infrastructure.dynamodb.failures import unavailable

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient as Client
    from types_aiobotocore_dynamodb.type_defs import AttributeValueTypeDef, KeysAndAttributesTypeDef
else:
    AttributeValueTypeDef = KeysAndAttributesTypeDef = Client = object

__all__ = ["AttributeValueTypeDef", "Client", "Database", "KeysAndAttributesTypeDef", "connect"]

# On DEBUG they log requests with the token of the session.
for _name in ("aiobotocore", "botocore"):
    logging.getLogger(_name).setLevel(logging.INFO)

_CONNECT: Final = 3.0  # seconds
_ANSWER: Final = 5.0  # seconds without a byte of the answer
_ATTEMPTS: Final = 3  # the client's own, for throttling and lost connections; then ours
_CONNECTIONS: Final = 50


@dataclass(frozen=True)
class Database:
    """A client, and the beginning of the names of its tables: each service has its own."""

    client: Client
    prefix: str

    def table(self, name: str) -> str:
        """The full name of a table."""
        return f"{self.prefix}{name}"


@asynccontextmanager
async def connect(
    *,
    endpoint: str | None = None,
    region: str | None = None,
    prefix: str = "headwater-",
    ca_file: Path | None = None,
    http: type[AIOHTTPSession] = AIOHTTPSession,
    answers_within: float = _ANSWER,
    attempts: int = _ATTEMPTS,
) -> AsyncIterator[Database]:
    """A client for ``endpoint``, or for AWS in ``region``; credentials come from the AWS chain
    (environment, profile, role of the machine). ``ca_file``: who signs the server's certificate.

    Nothing is sent yet. A call waits at most ``answers_within`` seconds for an answer, and is
    repeated by the client ``attempts`` times in all. Raises ``StoreUnavailable`` where no region or
    no credentials are to be found; ``ValueError`` for an endpoint that is no address.
    """
    config = AioConfig(
        connect_timeout=_CONNECT,
        read_timeout=answers_within,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=_CONNECTIONS,
        http_session_cls=http,
        parameter_validation=False,  # the server checks too, and each call is cheaper by a third
    )
    session = get_session()
    session.register_component("data_loader", _descriptions())
    with unavailable():
        opening = session.create_client(
            "dynamodb",
            region_name=region,
            endpoint_url=endpoint,
            config=config,
            verify=str(ca_file) if ca_file else None,
        )
        client = await opening.__aenter__()
    try:
        yield Database(client, prefix)
    finally:
        await opening.__aexit__(None, None, None)


@cache
def _descriptions() -> Any:
    """Of AWS's interfaces: read once in a process, since that takes longer than all else here."""
    return create_loader()

"""Whether a stream that shows no events was deleted by an operator, or never existed."""

from typing import Final

from esdbclient.exceptions import StreamIsDeleted

from infrastructure.eventstoredb.client import DEADLINE, Client, answering

_SOFT_DELETED: Final = 2**63 - 1  # in a stream's metadata: every event is before it


async def is_deleted(client: Client, stream: str) -> bool:
    """Whether it was deleted, for a while or for good. Raises ``StoreUnavailable``."""
    try:
        async with answering():
            metadata, _ = await client.get_stream_metadata(stream, timeout=DEADLINE)
    except StreamIsDeleted:
        return True
    return bool(metadata.get("$tb") == _SOFT_DELETED)

"""Appends that arrive in parts, with the limits on their size."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from esdbclient.protos.Grpc import streams_pb2

from embedded_eventstoredb.access import Access, Action
from embedded_eventstoredb.errors import MaximumAppendSizeExceeded, invalid_argument
from embedded_eventstoredb.records import Appended, NewRecord
from embedded_eventstoredb.streams import append
from embedded_eventstoredb.transaction import Transaction
from embedded_eventstoredb.wire import (
    Proposed,
    expected_version,
    given_name,
    new_record,
    stream_name,
)

_CHUNK: Final = 256 << 20  # a file of the server's log: the limit of an append

_Options = streams_pb2.AppendReq.Options | streams_pb2.BatchAppendReq.Options


@dataclass
class Draft:
    """An append as far as it has arrived. ``option`` is the field of the expected version."""

    stream: str
    expected: int
    option: str | None
    maximum: int
    """Bytes of data. As on the server, metadata and types do not count."""

    records: list[NewRecord] = field(default_factory=list)
    data: int = 0
    size: int = 0
    """Bytes that it holds in memory."""

    def add(self, messages: Iterable[Proposed]) -> None:
        """Add a part. Raises a Refusal."""
        for message in messages:
            record = new_record(message)
            self.data += len(record.data)
            self.size += len(record.data) + len(record.metadata)
            if self.data > self.maximum:
                raise MaximumAppendSizeExceeded(self.maximum)
            if self.size > _CHUNK:
                raise invalid_argument(f"An append holds {_CHUNK} bytes at most.")
            self.records.append(record)

    def append(self, transaction: Transaction) -> Appended:
        """Append it within a transaction. Raises WrongExpectedVersion and StreamDeleted."""
        return append(transaction, self.stream, self.expected, self.records)


class Drafting:
    """Begins drafts for streams that the caller may append to."""

    def __init__(self, access: Access, maximum: int) -> None:
        """``maximum``: bytes of data in one append."""
        self._access = access
        self._maximum = maximum

    def draft(
        self,
        options: _Options,
        oneof: Any,
        version: int,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> Draft:
        """An empty draft. ``oneof`` names the field of the expected version. Raises a Refusal."""
        self._access.check(context, Action.WRITE, given_name(options.stream_identifier))
        option = options.WhichOneof(oneof)
        expected = expected_version(option, version)
        return Draft(stream_name(options.stream_identifier), expected, option, self._maximum)

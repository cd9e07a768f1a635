"""The Streams service, as gRPC handlers."""

from typing import Any, Final

import grpc
from esdbclient.protos.Grpc import streams_pb2

from embedded_eventstoredb.access import Access
from embedded_eventstoredb.rpc_read import Reads
from embedded_eventstoredb.rpc_write import Writes
from embedded_eventstoredb.storage import Log, Storage

SERVICE: Final = "event_store.client.streams.Streams"


def methods(
    log: Log, storage: Storage, access: Access, max_append_size: int
) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """Read, Append, BatchAppend, Delete and Tombstone; reads use the ``log`` of one member."""
    reads, writes = Reads(log, access), Writes(storage, access, max_append_size)
    return {
        "Read": grpc.unary_stream_rpc_method_handler(
            reads.read, request_deserializer=streams_pb2.ReadReq.FromString
        ),
        "Append": grpc.stream_unary_rpc_method_handler(
            writes.append,
            request_deserializer=streams_pb2.AppendReq.FromString,
            response_serializer=streams_pb2.AppendResp.SerializeToString,
        ),
        "BatchAppend": grpc.stream_stream_rpc_method_handler(
            writes.batch_append,
            request_deserializer=streams_pb2.BatchAppendReq.FromString,
            response_serializer=streams_pb2.BatchAppendResp.SerializeToString,
        ),
        "Delete": grpc.unary_unary_rpc_method_handler(
            writes.delete,
            request_deserializer=streams_pb2.DeleteReq.FromString,
            response_serializer=streams_pb2.DeleteResp.SerializeToString,
        ),
        "Tombstone": grpc.unary_unary_rpc_method_handler(
            writes.tombstone,
            request_deserializer=streams_pb2.TombstoneReq.FromString,
            response_serializer=streams_pb2.TombstoneResp.SerializeToString,
        ),
    }

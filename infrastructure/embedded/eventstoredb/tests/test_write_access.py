"""Write access on a node with users, and how a denied write is answered."""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import pytest
from esdbclient import EventStoreDBClient, StreamState
from esdbclient.protos.Grpc import code_pb2, streams_pb2, streams_pb2_grpc

from embedded_eventstoredb import NodeProcess
from writing import append_message, append_options, identifier, part

Metadata = tuple[tuple[str, str], ...]
DENIED = ("PERMISSION_DENIED", "Access Denied")


@pytest.fixture(scope="module")
def secure() -> Iterator[NodeProcess]:
    """A node in memory with TLS and users."""
    with NodeProcess(tls=True) as node:
        yield node


@pytest.fixture(scope="module")
def stub(secure: NodeProcess) -> Iterator[streams_pb2_grpc.StreamsStub]:
    """Calls without credentials, unless some are given."""
    authority = Path(secure.uri.partition("TlsCaFile=")[2]).read_bytes()
    target = urlsplit(secure.uri).netloc.rpartition("@")[2]
    with grpc.secure_channel(target, grpc.ssl_channel_credentials(authority)) as channel:
        yield streams_pb2_grpc.StreamsStub(channel)  # type: ignore[no-untyped-call]  # generated


def as_user(login: str) -> Metadata:
    return (("authorization", f"Basic {base64.b64encode(login.encode()).decode()}"),)


ADMIN = as_user("admin:changeit")


def refusal(raised: pytest.ExceptionInfo[grpc.RpcError]) -> tuple[str, str]:
    error = raised.value
    assert isinstance(error, grpc.Call)
    return error.code().name, error.details()


def test_all_is_nobodys_to_write(stub: streams_pb2_grpc.StreamsStub) -> None:
    """Appending to ``$all``, deleting and tombstoning it is denied, to administrators as well."""
    with pytest.raises(grpc.RpcError) as raised:
        stub.Append(iter([append_options("$all"), append_message()]), metadata=ADMIN)
    assert refusal(raised) == DENIED
    delete, tombstone = streams_pb2.DeleteReq(), streams_pb2.TombstoneReq()
    for request in (delete, tombstone):
        request.options.stream_identifier.CopyFrom(identifier("$all"))
        request.options.any.SetInParent()
    with pytest.raises(grpc.RpcError) as raised:
        stub.Delete(delete, metadata=ADMIN)
    assert refusal(raised) == DENIED
    with pytest.raises(grpc.RpcError) as raised:
        stub.Tombstone(tombstone, metadata=ADMIN)
    assert refusal(raised) == DENIED


def test_all_in_a_batch(stub: streams_pb2_grpc.StreamsStub, stream: str) -> None:
    """In a batch call ``$all`` is denied for itself, and the others are written."""
    requests = [part(stream="$all"), part(stream=stream)]
    answers = list(stub.BatchAppend(iter(requests), metadata=ADMIN))
    assert [answer.error.message for answer in answers] == ["AccessDenied", ""]


def test_nobody_in_a_batch(stub: streams_pb2_grpc.StreamsStub, stream: str) -> None:
    """Without credentials, each append of a batch call is denied; the call goes on."""
    answers = list(stub.BatchAppend(iter([part(stream=stream), part(stream=stream)])))
    denied = (code_pb2.PERMISSION_DENIED, "AccessDenied")
    assert [(answer.error.code, answer.error.message) for answer in answers] == [denied] * 2


def test_wrong_password_ends_a_batch(stub: streams_pb2_grpc.StreamsStub, stream: str) -> None:
    """A batch call with a wrong password is not taken at all."""
    with pytest.raises(grpc.RpcError) as raised:
        list(stub.BatchAppend(iter([part(stream=stream)]), metadata=as_user("admin:wrong")))
    assert refusal(raised)[0] == "UNAUTHENTICATED"


def test_nobody_in_a_plain_append(stub: streams_pb2_grpc.StreamsStub, stream: str) -> None:
    """A plain append without credentials is denied after its last request."""
    ended: list[bool] = []

    def requests() -> Iterator[streams_pb2.AppendReq]:
        yield append_options(stream)
        for _ in range(50):
            yield append_message(data=bytes(100_000))
        ended.append(True)

    with pytest.raises(grpc.RpcError) as raised:
        stub.Append(requests())
    assert refusal(raised) == DENIED
    assert ended


def test_metadata_of_all(secure: NodeProcess) -> None:
    """Only an administrator may set the metadata of ``$all``, which controls read access to it."""
    with EventStoreDBClient(secure.uri) as client:
        acl = {"$acl": {"$r": ["$admins", "ops"]}}
        client.set_stream_metadata("$all", metadata=acl, current_version=StreamState.ANY)
        assert client.get_stream_metadata("$all")[0] == acl

"""TLS, users, and what access lists let them do."""

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import (
    AccessDeniedError,
    EventStoreDBClientException,
    GrpcError,
    SSLError,
)

from embedded_eventstoredb import NodeProcess

ANY = StreamState.ANY
USERS = "/event_store.client.users.Users/"


@pytest.fixture(scope="module")
def secure() -> Iterator[NodeProcess]:
    """A node in memory with TLS and users."""
    with NodeProcess(tls=True) as node:
        yield node


@pytest.fixture
def admin(secure: NodeProcess) -> Iterator[EventStoreDBClient]:
    with EventStoreDBClient(secure.uri) as client:
        yield client


@contextmanager
def as_user(node: NodeProcess, login: str) -> Iterator[EventStoreDBClient]:
    with EventStoreDBClient(node.uri.replace("admin:changeit@", f"{login}@")) as client:
        yield client


def says_denied(error: EventStoreDBClientException) -> bool:
    """The client gives the error of a batch a class of its own, and the others none."""
    return isinstance(error, AccessDeniedError) or "Access Denied" in str(error)


def denied() -> pytest.RaisesExc[EventStoreDBClientException]:
    return pytest.raises(EventStoreDBClientException, check=says_denied)


def trailers(error: Any) -> dict[str, str]:
    """The stubs do not know that a failed call has any."""
    return dict(error.trailing_metadata())


def authority(node: NodeProcess) -> str:
    return Path(node.uri.partition("TlsCaFile=")[2]).read_text()


def happened() -> NewEvent:
    return NewEvent("Happened", b"{}")


def options(*texts: str, groups: tuple[str, ...] = ()) -> bytes:
    """A request of the Users service: strings 1, 2, …, and groups as field 4."""
    fields = [*enumerate(texts, 1), *((4, group) for group in groups)]
    inner = b"".join(bytes([number << 3 | 2, len(text)]) + text.encode() for number, text in fields)
    return bytes([1 << 3 | 2, len(inner)]) + inner


def manage(node: NodeProcess, method: str, request: bytes, login: str = "admin:changeit") -> None:
    credentials = grpc.ssl_channel_credentials(authority(node).encode())
    header = f"Basic {base64.b64encode(login.encode()).decode()}"
    target = urlsplit(node.uri).netloc.rpartition("@")[2]
    with grpc.secure_channel(target, credentials) as channel:
        call = channel.unary_unary(USERS + method, lambda sent: sent, lambda got: got)
        call(request, metadata=(("authorization", header),))


@pytest.fixture
def alice(secure: NodeProcess) -> str:
    """A user in group ``sales``, with her password: ``name:secret``."""
    name = f"alice-{uuid4().hex[:8]}"
    manage(secure, "Create", options(name, "secret", "Alice", groups=("sales",)))
    return f"{name}:secret"


def test_encrypted(secure: NodeProcess, admin: EventStoreDBClient, stream: str) -> None:
    """A client that trusts the node's authority reads and writes; one that does not cannot."""
    admin.append_to_stream(stream, current_version=ANY, events=[happened()])
    assert len(admin.get_stream(stream)) == 1
    with (
        EventStoreDBClient(secure.uri.partition("?")[0]) as client,
        pytest.raises(SSLError),
    ):
        client.get_stream(stream)


def test_node_certificate_as_root(secure: NodeProcess) -> None:
    """The certificate that the node shows is trusted by itself, too: some suites fetch it."""
    address = urlsplit(secure.uri)
    shown = ssl.get_server_certificate((address.hostname or "", address.port or 0))
    uri = secure.uri.partition("?")[0].replace("127.0.0.1", "localhost")
    with EventStoreDBClient(uri, root_certificates=shown) as client:
        assert client.get_commit_position() >= 0


def test_authority_survives(tmp_path: Path) -> None:
    """A node's authority is kept in its data directory; only the node's user can read its key."""
    with NodeProcess(tmp_path, tls=True) as node:
        first = authority(node)
    with NodeProcess(tmp_path, tls=True) as node, EventStoreDBClient(node.uri) as client:
        assert authority(node) == first
        assert client.get_commit_position() >= 0
    assert (tmp_path / "certificates" / "ca.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("login", ["admin:wrong", "nobody:changeit"])
def test_wrong_password(secure: NodeProcess, login: str, stream: str) -> None:
    """A wrong name or password is not recognised."""
    with as_user(secure, login) as client, pytest.raises(GrpcError, match="UNAUTHENTICATED"):
        client.get_stream(stream)


def test_anonymous(secure: NodeProcess) -> None:
    """Without credentials, a client cannot read or write, but can read gossip."""
    credentials = grpc.ssl_channel_credentials(authority(secure).encode())
    target = urlsplit(secure.uri).netloc.rpartition("@")[2]
    with grpc.secure_channel(target, credentials) as channel:
        read = channel.unary_stream("/event_store.client.streams.Streams/Read", bytes, bytes)
        with pytest.raises(grpc.RpcError) as raised:
            list(read(b""))
        assert raised.value.code() == grpc.StatusCode.PERMISSION_DENIED
        assert trailers(raised.value)["exception"] == "access-denied"
        assert channel.unary_unary("/event_store.client.gossip.Gossip/Read", bytes, bytes)(b"")


def test_user_streams_are_open(secure: NodeProcess, alice: str, stream: str) -> None:
    """Any user may read and write streams without an access list, and none of the system's."""
    with as_user(secure, alice) as client:
        client.append_to_stream(stream, current_version=ANY, events=[happened()])
        assert len(client.get_stream(stream)) == 1
        client.delete_stream(stream, current_version=ANY)
        for name in ("$projections-$all", "$users"):
            with denied():
                client.get_stream(name)
        with denied():
            list(client.read_all())
        with denied():
            client.append_to_stream("$mine", current_version=ANY, events=[happened()])


@pytest.mark.parametrize("role", ["alice", "sales"])
def test_access_list(
    secure: NodeProcess, admin: EventStoreDBClient, alice: str, stream: str, role: str
) -> None:
    """A stream's ``$acl`` names the users and groups that may read; all others are denied."""
    admin.append_to_stream(stream, current_version=ANY, events=[happened()])
    named = alice.partition(":")[0] if role == "alice" else role
    admin.set_stream_metadata(
        stream, metadata={"$acl": {"$r": ["$admins", named], "$w": "$admins"}}
    )
    with as_user(secure, alice) as client:
        assert len(client.get_stream(stream)) == 1
        with denied():
            client.append_event(stream, current_version=ANY, event=happened())
        with denied():
            client.append_to_stream(stream, current_version=ANY, events=[happened()])
    with as_user(secure, "ops:changeit") as client, denied():
        client.get_stream(stream)


def test_metadata_has_its_own_rights(
    secure: NodeProcess, admin: EventStoreDBClient, alice: str, stream: str
) -> None:
    """``$mr`` and ``$mw`` name the users that may read and write a stream's metadata."""
    admin.append_to_stream(stream, current_version=ANY, events=[happened()])
    admin.set_stream_metadata(stream, metadata={"$acl": {"$mr": "sales", "$mw": "$admins"}})
    with as_user(secure, alice) as client:
        _, version = client.get_stream_metadata(stream)
        with denied():
            client.set_stream_metadata(stream, metadata={}, current_version=version)


def test_default_access_lists(
    secure: NodeProcess, admin: EventStoreDBClient, alice: str, fresh_stream: str
) -> None:
    """Stream ``$settings`` changes the rights of all user streams, and of all system streams."""
    acl = b'{"$userStreamAcl": {"$r": "$ops"}, "$systemStreamAcl": {"$r": "sales"}}'
    settings = NewEvent("update-default-acl", acl)
    admin.append_to_stream(fresh_stream, current_version=ANY, events=[happened()])
    admin.append_to_stream("$settings", current_version=ANY, events=[settings])
    try:
        with as_user(secure, alice) as client:
            with denied():
                client.get_stream(fresh_stream)
            assert [event.data for event in client.get_stream("$users")][:2] == [b"admin", b"ops"]
    finally:
        reset = NewEvent("update-default-acl", b"{}")
        admin.append_to_stream("$settings", current_version=ANY, events=[reset])


@pytest.fixture
def fresh_stream() -> str:
    return f"order-{uuid4().hex}"


def test_operators_manage_groups(
    secure: NodeProcess, admin: EventStoreDBClient, alice: str, stream: str, group: str
) -> None:
    """Consumer groups are made by ``$ops`` and ``$admins``; consumers need to read the stream."""
    with as_user(secure, alice) as client:
        with denied():
            client.create_subscription_to_stream(group, stream)
        with as_user(secure, "ops:changeit") as operator:
            operator.create_subscription_to_stream(group, stream)
        admin.append_to_stream(stream, current_version=ANY, events=[happened()])
        with client.read_subscription_to_stream(group, stream) as subscription:
            assert next(subscription).stream_name == stream


def test_users_are_managed(secure: NodeProcess, alice: str, stream: str) -> None:
    """A disabled user, or an old password after a reset, is not recognised; enabling helps."""
    name = alice.partition(":")[0]
    manage(secure, "ResetPassword", options(name, "other"))
    with as_user(secure, alice) as client, pytest.raises(GrpcError, match="UNAUTHENTICATED"):
        client.get_stream(stream)
    manage(secure, "ChangePassword", options(name, "other", "third"), login=f"{name}:other")
    manage(secure, "Disable", options(name))
    with (
        as_user(secure, f"{name}:third") as client,
        pytest.raises(GrpcError, match="UNAUTHENTICATED"),
    ):
        client.get_stream(stream)
    manage(secure, "Enable", options(name))
    with as_user(secure, f"{name}:third") as client:
        client.append_to_stream(stream, current_version=ANY, events=[happened()])


@pytest.mark.parametrize(
    ("method", "login", "status", "exception"),
    [
        ("Create", "admin:changeit", grpc.StatusCode.FAILED_PRECONDITION, "user-conflict"),
        ("Create", "ops:changeit", grpc.StatusCode.PERMISSION_DENIED, "access-denied"),
        ("Delete", "admin:changeit", grpc.StatusCode.NOT_FOUND, "user-not-found"),
    ],
)
def test_users_refused(
    secure: NodeProcess, method: str, login: str, status: grpc.StatusCode, exception: str
) -> None:
    """Users are made once, by administrators; one that is not there cannot be deleted."""
    name = "admin" if method == "Create" else "nobody"
    with pytest.raises(grpc.RpcError) as raised:
        manage(secure, method, options(name, "x"), login=login)
    assert raised.value.code() == status
    assert trailers(raised.value)["exception"] == exception

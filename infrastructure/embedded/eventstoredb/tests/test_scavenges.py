"""Scavenges, over the protocol itself: esdbclient does not have them."""

from pathlib import Path
from uuid import UUID, uuid4

import grpc
import pytest

from embedded_eventstoredb import NodeProcess
from waiting import eventually

STARTED, IN_PROGRESS, STOPPED = range(3)


class Operator:
    """Starts and stops scavenges."""

    def __init__(self, channel: grpc.Channel, *metadata: tuple[str, str]) -> None:
        self._channel = channel
        self._metadata = metadata

    def start(self) -> tuple[str, int]:
        return self._call("StartScavenge", b"\x0a\x04\x08\x01\x10\x00")  # one thread, from chunk 0

    def stop(self, scavenge_id: str) -> tuple[str, int]:
        name = scavenge_id.encode()
        options = b"\x0a" + bytes([len(name)]) + name
        return self._call("StopScavenge", b"\x0a" + bytes([len(options)]) + options)

    def _call(self, method: str, request: bytes) -> tuple[str, int]:
        path = f"/event_store.client.operations.Operations/{method}"
        answer = self._channel.unary_unary(path, bytes, bytes)(request, metadata=self._metadata)
        size = answer[1]
        result = answer[2 + size :].removeprefix(b"\x10")
        return answer[2 : 2 + size].decode(), result[0] if result else 0


def exception_of(error: grpc.RpcError) -> str:
    """The name that clients switch on."""
    trailers: dict[str, str] = {item.key: str(item.value) for item in error.trailing_metadata()}
    return trailers["exception"]


def is_refused(operator: Operator, scavenge_id: str) -> bool:
    """Whether the server reports that no scavenge of that id is running."""
    with pytest.raises(grpc.RpcError) as raised:
        operator.stop(scavenge_id)
    told = (raised.value.code(), raised.value.details())
    named = exception_of(raised.value) == "scavenge-not-found"
    return named and told == (grpc.StatusCode.NOT_FOUND, "Scavenge id was invalid.")


def test_scavenges(node: NodeProcess) -> None:
    """One is under way at a time, and ends by itself."""
    with grpc.insecure_channel(node.uri.removeprefix("esdb://").partition("?")[0]) as channel:
        operator = Operator(channel)

        def results() -> list[int]:
            (one, first), (other, second) = operator.start(), operator.start()
            assert UUID(one).version == 4
            assert (one == other) is (second == IN_PROGRESS)
            return [first, second]

        eventually(results, [STARTED, IN_PROGRESS])  # again where one has ended meanwhile
        eventually(lambda: operator.start()[1], STARTED)


def test_a_scavenge_that_is_stopped(node: NodeProcess) -> None:
    """It is over at once; what is not under way cannot be stopped."""
    with grpc.insecure_channel(node.uri.removeprefix("esdb://").partition("?")[0]) as channel:
        operator = Operator(channel)
        assert is_refused(operator, str(uuid4()))

        def stopped() -> bool:
            started, _ = operator.start()
            try:
                assert operator.stop(started) == (started, STOPPED)
            except grpc.RpcError:  # it has ended meanwhile
                return False
            assert is_refused(operator, started)
            return operator.start()[1] == STARTED

        eventually(stopped, True)


def test_who_may_scavenge() -> None:
    """On a node with users only an operator may start or stop one."""
    with NodeProcess(tls=True) as node:
        _, _, rest = node.uri.partition("@")
        target, _, options = rest.partition("?")
        authority = Path(options.partition("TlsCaFile=")[2]).read_bytes()
        with grpc.secure_channel(target, grpc.ssl_channel_credentials(authority)) as channel:
            nobody, operations = (
                Operator(channel),
                Operator(channel, ("authorization", "Basic b3BzOmNoYW5nZWl0")),  # ops:changeit
            )
            started, result = operations.start()
            assert result == STARTED
            for denied in (nobody.start, lambda: nobody.stop(started)):
                with pytest.raises(grpc.RpcError) as raised:
                    denied()
                assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED
                assert exception_of(raised.value) == "access-denied"

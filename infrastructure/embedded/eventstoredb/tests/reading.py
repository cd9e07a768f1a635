"""Reads in the protocol's own messages: what esdbclient cannot ask, and what it does not show."""

from collections.abc import Sequence
from typing import Any

import grpc
from esdbclient.protos.Grpc import shared_pb2, streams_pb2, streams_pb2_grpc

Options = streams_pb2.ReadReq.Options
START: dict[str, Any] = {"start": shared_pb2.Empty()}
END: dict[str, Any] = {"end": shared_pb2.Empty()}
SUBSCRIPTION = Options.SubscriptionOptions()


def of_stream(name: str, **start: Any) -> dict[str, Any]:
    """The option of a stream, from ``start``, ``end`` or a ``revision``."""
    identifier = shared_pb2.StreamIdentifier(stream_name=name.encode())
    return {"stream": Options.StreamOptions(stream_identifier=identifier, **start)}


def of_all(commit: int | None = None, prepare: int | None = None, **start: Any) -> dict[str, Any]:
    """The option of ``$all``, from a position, ``start`` or ``end``."""
    if commit is not None:
        prepare = commit if prepare is None else prepare
        at = Options.Position(commit_position=commit, prepare_position=prepare)
        return {"all": Options.AllOptions(position=at)}
    return {"all": Options.AllOptions(**start)}


def by_type(
    *prefixes: str, regex: str = "", window: int = 32, multiplier: int = 1
) -> Options.FilterOptions:
    """A filter on event types."""
    return Options.FilterOptions(
        event_type=Options.FilterOptions.Expression(prefix=prefixes, regex=regex),
        max=window,
        checkpointIntervalMultiplier=multiplier,
    )


class Reading:
    """The call Read of one node."""

    def __init__(self, target: str) -> None:
        """``target`` is a ``host:port``, or the connection string of an insecure node."""
        self._channel = grpc.insecure_channel(
            target.removeprefix("esdb://").partition("?")[0],
            options=[("grpc.use_local_subchannel_pool", 1)],  # a connection of its own
        )
        self._stub = streams_pb2_grpc.StreamsStub(self._channel)  # type: ignore[no-untyped-call]  # generated

    def call(self, *, backwards: bool = False, **options: Any) -> Any:
        """A call, to be read by the caller; unless given, it has no filter."""
        filtered: dict[str, Any] = {} if "filter" in options else {"no_filter": shared_pb2.Empty()}
        direction = Options.Backwards if backwards else Options.Forwards
        ids = Options.UUIDOption(string=shared_pb2.Empty())
        asked = Options(read_direction=direction, uuid_option=ids, **filtered, **options)
        return self._stub.Read(streams_pb2.ReadReq(options=asked), timeout=60)

    def answers(self, *, until: str = "", **options: Any) -> list[streams_pb2.ReadResp]:
        """All that is answered, or, in a subscription, as far as the first of a kind."""
        found: list[streams_pb2.ReadResp] = []
        call = self.call(**options)
        for answer in call:
            found.append(answer)
            if answer.WhichOneof("content") == until:
                call.cancel()
                break
        return found

    def refusal(self, **options: Any) -> tuple[str, str]:
        """Status and text of a call that has to be refused before it answers anything."""
        try:
            answers = self.answers(**options)
        except grpc.RpcError as error:
            failed: Any = error  # a call, which the stubs do not know
            return failed.code().name, failed.details()
        raise AssertionError(f"it was answered: {answers}")

    def close(self) -> None:
        self._channel.close()


def kinds(answers: Sequence[streams_pb2.ReadResp]) -> list[str]:
    """What each answer is."""
    return [answer.WhichOneof("content") or "" for answer in answers]


def versions(answers: Sequence[streams_pb2.ReadResp]) -> list[int]:
    """The versions of the events among them."""
    return [a.event.event.stream_revision for a in answers if a.WhichOneof("content") == "event"]

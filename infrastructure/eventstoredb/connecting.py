"""Opens the connection: its address, who we are, and the keepalive that notices a silent server."""

import os
from typing import Final

from application.ports import StoreUnavailable
from infrastructure.eventstoredb.client import Client, answering
from infrastructure.eventstoredb.credentials import (
    options_of,
    refusal,
    require_usable,
    shown,
    why_ended,
    without_login,
)
from infrastructure.eventstoredb.reads import end_of_log

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# gRPC would print each failed handshake, in a form of its own: its errors are reported here.

_PING_EVERY: Final = 10_000  # ms; EventStoreDB's clients do the same
_PING_TIMEOUT: Final = 5_000  # ms


async def connect(uri: str) -> Client:
    """A client of the server at ``uri`` (``esdb://…``, options as EventStoreDB documents them).

    Raises ``ValueError`` for an invalid address, and where the server refuses our login or we do
    not trust its certificate; :class:`StoreUnavailable` when no server answers there.
    """
    address, login = without_login(uri)
    options = options_of(address)
    require_usable(options, login)
    client = Client(address)
    _require_leader(client)
    client.log_in(login)
    client.grpc_options = _channel_options(client)
    try:
        async with answering(f"no EventStoreDB answers at {shown(uri)}"):
            await client.connect()
            await end_of_log(client)
    except BaseException as error:
        await client.close()
        if reason := refusal(error, login):
            raise ValueError(f"EventStoreDB at {shown(uri)}: {reason}") from None
        if reason := why_ended(error, options):
            raise StoreUnavailable(f"{error}; {reason}") from error
        raise
    return client


def _require_leader(client: Client) -> None:
    """Raises ``ValueError`` for followers, which may lack what was just appended."""
    if (preferred := client.connection_spec.options.NodePreference) != "leader":
        raise ValueError(
            f"NodePreference={preferred} cannot be used, since appends go to the "
            "leader and what follows has to see them: leave NodePreference out"
        )


def _channel_options(client: Client) -> tuple[tuple[str, str | int], ...]:
    """The client's, with keepalive under the names that gRPC knows (it sets ``keepalive_ms``).

    A connection that goes silent without closing is closed when a ping gets no answer. A channel
    that lost its server tries again within a second; gRPC's own backoff grows to 2 minutes.
    """
    kept = [one for one in client.grpc_options if not one[0].startswith("grpc.keepalive")]
    asked = client.connection_spec.options
    timeout = asked.KeepAliveTimeout or _PING_TIMEOUT
    return (
        *kept,
        ("grpc.keepalive_time_ms", asked.KeepAliveInterval or _PING_EVERY),
        ("grpc.keepalive_timeout_ms", timeout),
        ("grpc.http2.ping_timeout_ms", timeout),  # gRPC's own keepalive applies first: a minute
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),  # no limit: a quiet subscription sends no data
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
    )

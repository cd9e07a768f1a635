"""What is beside the protocol's services: HTTP, and calls that do not exist."""

import httpx
from esdbclient.protos.Grpc import shared_pb2

from conformance.node import Node
from conformance.normal_form import told
from conformance.scenarios import Answers, asks, asks_alone

_JSON = "application/json"


@asks
async def http(node: Node) -> Answers:
    """Pages over HTTP/1.1: status, kind of content, and names of fields or whether it has any."""
    for path in (
        "/",
        "/ping",
        "/info",
        "/gossip",
        "/stats",
        "/health/live",
        "/metrics",
        "/web",
        "/web/index.html",
        "/streams/newstream",
        "/projections/any",
        "/subscriptions",
        "/users",
        "/nope",
        "/info/options",
        "/admin/login",
    ):
        yield path, await _page(node, path)


async def _page(node: Node, path: str) -> object:
    async with httpx.AsyncClient(timeout=node.patience.answer, trust_env=False) as client:
        try:
            answer = await client.get(f"http://{node.http}{path}", headers={"Accept": _JSON})
        except httpx.HTTPError as error:
            return type(error).__name__
    kind = answer.headers.get("Content-Type")
    if not answer.is_success:
        return [answer.status_code, kind, answer.headers.get("Location")]
    is_object = (kind or "").startswith(_JSON) and answer.content.startswith(b"{")
    return [
        answer.status_code,
        kind,
        sorted(answer.json()) if is_object else len(answer.content) > 0,
    ]


@asks_alone
async def unknown_calls(node: Node) -> Answers:
    """Methods and services that do not exist, and two operations; the last one ends all groups."""
    for method in (
        "streams.Streams/Nope",
        "nope.Nope/Nope",
        "operations.Operations/MergeIndexes",
        "operations.Operations/RestartPersistentSubscriptions",
    ):
        yield method, await told(node.ask(method, shared_pb2.Empty(), shared_pb2.Empty))

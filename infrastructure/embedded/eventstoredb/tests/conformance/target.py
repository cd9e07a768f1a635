"""The address of the node under test."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_INSECURE_NODE: Final = re.compile(r"esdb://([^@,/?]+:\d+)/?\?(?:.*&)?tls=false(?:&.*)?", re.I)


class NotAsked(Exception):
    """No question was asked; the text says why and what to do."""


@dataclass(frozen=True)
class Target:
    """The addresses of a node, as ``host:port``: a server answers gRPC and HTTP/1.1 on one port."""

    grpc: str
    http: str


def target(uri: str, http: str = "") -> Target:
    """Where a node is whose connection string this is; ``http`` if it answers HTTP elsewhere.

    Raises NotAsked unless it is one node, and insecure.
    """
    found = _INSECURE_NODE.fullmatch(uri)
    if found is None:
        raise NotAsked(f"'{uri}' is not one insecure node: give esdb://127.0.0.1:2113?tls=false")
    return Target(found[1], urlsplit(http).netloc or found[1])

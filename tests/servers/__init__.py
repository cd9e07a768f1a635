"""Servers for tests: each is a page; how a test gets one is in ``available.py``."""

from tests.servers.available import available
from tests.servers.kafka import KAFKA
from tests.servers.ministack import DYNAMODB
from tests.servers.opensearch import OPENSEARCH
from tests.servers.postgresql import empty_schema, postgres_server, role
from tests.servers.prometheus import PROMETHEUS, promtool
from tests.servers.seaweedfs import S3, S3_SERVER
from tests.servers.server import NotHere, Server, ServerFailed
from tests.servers.starting import Started, started
from tests.servers.temporal import (
    LASTING_TEMPORAL,
    TEMPORAL,
    temporal_program,
    time_skipping_program,
)

__all__ = [
    "DYNAMODB",
    "KAFKA",
    "LASTING_TEMPORAL",
    "OPENSEARCH",
    "PROMETHEUS",
    "S3",
    "S3_SERVER",
    "TEMPORAL",
    "NotHere",
    "Server",
    "ServerFailed",
    "Started",
    "available",
    "empty_schema",
    "postgres_server",
    "promtool",
    "role",
    "started",
    "temporal_program",
    "time_skipping_program",
]

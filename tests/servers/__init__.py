"""Servers for tests: each is a page; how a test gets one is in ``available.py``."""

from tests.servers.alertmanager import ALERTMANAGER
from tests.servers.available import available, require_here
from tests.servers.kafka import KAFKA  # only: kafka
from tests.servers.ministack import DYNAMODB  # only: dynamodb
from tests.servers.oidc import OIDC
from tests.servers.opensearch import OPENSEARCH  # only: opensearch
from tests.servers.postgresql import empty_schema, postgres_server, role  # only: postgres
from tests.servers.prometheus import PROMETHEUS, promtool
from tests.servers.seaweedfs import S3, S3_SERVER  # only: s3
from tests.servers.server import NotHere, Server, ServerFailed
from tests.servers.starting import Started, started
from tests.servers.temporal import (  # only: temporal
    LASTING_TEMPORAL,  # only: temporal
    TEMPORAL,  # only: temporal
    temporal_program,  # only: temporal
    time_skipping_program,  # only: temporal
)  # only: temporal

__all__ = [
    "ALERTMANAGER",
    "DYNAMODB",  # only: dynamodb
    "KAFKA",  # only: kafka
    "LASTING_TEMPORAL",  # only: temporal
    "OIDC",
    "OPENSEARCH",  # only: opensearch
    "PROMETHEUS",
    "S3",  # only: s3
    "S3_SERVER",  # only: s3
    "TEMPORAL",  # only: temporal
    "NotHere",
    "Server",
    "ServerFailed",
    "Started",
    "available",
    "empty_schema",  # only: postgres
    "postgres_server",  # only: postgres
    "promtool",
    "require_here",
    "role",  # only: postgres
    "started",
    "temporal_program",  # only: temporal
    "time_skipping_program",  # only: temporal
]

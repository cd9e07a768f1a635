"""Which settings lead to an EventStoreDB."""

from typing import Annotated

from infrastructure.settings.naming import NamedSettings
from infrastructure.settings.values import (
    Port,  # only: embedded
    uri_of,
)


class EventStoreDBSettings(NamedSettings):
    """EventStoreDB"""

    eventstoredb_uri: Annotated[str, uri_of("esdb", "esdb+discover")] | None = None
    """The EventStoreDB to use: `esdb://127.0.0.1:2113?Tls=false`, or with TLS
    `esdb://user:password@host:2113?TlsCaFile=PATH`. A user certificate is given by `UserCertFile`
    and `UserKeyFile`."""
    # only: embedded
    eventstoredb_port: Port = 2113
    """The port of the embedded node, which `run` starts where `{eventstoredb_uri}` is unset; 0: any
    free port."""
    # end: embedded

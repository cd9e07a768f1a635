"""A connection to the Temporal that is set."""

import logging
import re
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from application.ports import PayloadStore, StoreUnavailable
from infrastructure.certificates import require_files
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.temporal.converting import data_converter


async def connected(
    settings: Settings,
    payloads: PayloadStore | None,
    encrypt: Callable[[], Awaitable[bytes]] | None = None,
) -> Client:
    """A client, once Temporal has answered it. ``encrypt``: the key of the values in histories.

    Raises ``StoreUnavailable``, and ``InvalidSettings`` for a namespace that is not there, a key
    that is not accepted, or a file that cannot be read.
    """
    name, address = settings.name_of, settings.temporal_address or ""
    key = settings.temporal_api_key
    try:
        client = await Client.connect(
            address,
            namespace=settings.temporal_namespace,
            api_key=key.get_secret_value() if key else None,
            tls=_tls(settings),
            data_converter=data_converter(payloads, encrypt),
            runtime=_runtime(),
        )
        asked = DescribeNamespaceRequest(namespace=settings.temporal_namespace)
        await client.workflow_service.describe_namespace(asked)
    except RuntimeError as error:
        if reason := _untrusted(settings, str(error)):
            raise InvalidSettings(reason) from None
        raise StoreUnavailable(
            f"Temporal does not answer at {address} ({name('temporal_address')}): {error}"
            f"{_why_ended(settings, str(error))}"
        ) from error
    except RPCError as error:
        raise _refused(settings, error) from error
    return client


def _refused(settings: Settings, error: RPCError) -> Exception:
    name = settings.name_of
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return InvalidSettings(
                f"{name('temporal_namespace')}: Temporal has no namespace "
                f"{settings.temporal_namespace}: make it, or set another"
            )
        case RPCStatusCode.UNAUTHENTICATED | RPCStatusCode.PERMISSION_DENIED:
            return InvalidSettings(
                f"{name('temporal_api_key')}: Temporal refuses this service: {error.message}: set "
                f"a key, or {name('temporal_certificate_file')}, with rights in that namespace"
            )
        case _:
            return StoreUnavailable(
                f"Temporal does not answer at {settings.temporal_address} "
                f"({name('temporal_address')}): {error.message}"
            )


def _untrusted(settings: Settings, said: str) -> str | None:
    """What is wrong if the connection failed for its certificate, in the client's words."""
    name, at = settings.name_of, f"Temporal at {settings.temporal_address}"
    if "NotValidForName" in said:
        return (
            f"{name('temporal_address')}: the certificate of {at} is for another name: set it to "
            "a host that the certificate names"
        )
    if "InvalidCertificate" in said:
        return (
            f"{name('temporal_ca_file')}: {at} cannot be trusted: set it to the certificate of the "
            "authority that signs the server's"
        )
    if "InvalidContentType" in said:
        return f"{name('temporal_tls')}: {at} does not speak TLS: unset it"
    return None


def _why_ended(settings: Settings, said: str) -> str:
    """What may be wrong where a server ends a connection, beside that it may be starting."""
    if not settings.temporal_tls or not _ENDED.search(said):
        return ""
    name = settings.name_of("temporal_certificate_file")
    return f"; a server that refuses our certificate does the same: see {name}"


_ENDED: Final = re.compile("(?i)transport|connection (closed|reset)|broken pipe")


def _tls(settings: Settings) -> TLSConfig | bool:
    if not settings.temporal_tls:
        return False
    require_files(settings, "temporal")
    return TLSConfig(
        server_root_ca_cert=_read(settings.temporal_ca_file),
        client_cert=_read(settings.temporal_certificate_file),
        client_private_key=_read(settings.temporal_key_file),
    )


def _read(file: Path | None) -> bytes | None:
    return file.read_bytes() if file else None


@cache
def _runtime() -> Runtime:
    """One for the process. What it reports goes to the log of the service."""
    level = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    forwarding = LogForwardingConfig(logging.getLogger("temporal"))
    logs = LoggingConfig(filter=level, forwarding=forwarding)
    return Runtime(telemetry=TelemetryConfig(logging=logs))

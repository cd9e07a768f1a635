"""Whether PostgreSQL lets us in, asked once at the start: a pool reports only that it waited."""

import asyncio
import re
from typing import Final

import psycopg

from infrastructure.settings import InvalidSettings, Settings, without_password

_PATIENCE: Final = 3  # seconds: a server that is slow is waited for by the pool
_REFUSALS: Final = {
    r"certificate verify failed|root certificate file|certificate bundle": (
        "give sslrootcert=PATH with the certificate of the authority that signs the server's"
    ),
    r"does not match host name": "write a host that the certificate names",
    r"does not support SSL": "write sslmode=disable, or switch TLS on there",
    r"client certificate|certificate required|certificate authentication|alert (unknown|bad)": (
        "give sslcert=PATH and sslkey=PATH that an authority of the server has signed"
    ),
    r"certificate file|private key file": "name two files in PEM that belong together",
    r"no encryption": "give sslmode=verify-full and sslrootcert=PATH",
    r"authentication failed|pg_hba|role \".*\" does not exist|password supplied": (
        "set a user and a password that it knows"
    ),
    r"database \".*\" does not exist": "make that database, or name another",
    r"invalid .* value|invalid connection option": "use a value that libpq documents",
}


async def require_admission(settings: Settings) -> None:
    """Raises :class:`InvalidSettings` if the server refuses us, or we do not trust it.

    A server that does not answer is left to the pool, which waits for it.
    """
    assert settings.postgres_uri is not None  # resolving the settings has set it
    try:
        async with asyncio.timeout(_PATIENCE):
            connecting = psycopg.AsyncConnection.connect(
                settings.postgres_uri, connect_timeout=_PATIENCE
            )
            await (await connecting).close()
    except (psycopg.Error, TimeoutError) as error:
        reason = " ".join(str(error).split())
        for sign, right in _REFUSALS.items():
            if re.search(sign, reason):
                where = without_password(settings.postgres_uri)
                raise InvalidSettings(
                    f"{settings.name_of('postgres_uri')}: {where} cannot be used: {reason}: {right}"
                ) from None

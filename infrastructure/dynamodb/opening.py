"""DynamoDB by the settings of a service: reached, and its tables made."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from uuid import uuid4

from botocore.exceptions import InvalidRegionError, NoCredentialsError, NoRegionError, SSLError

from application.ports import StoreUnavailable
from infrastructure.certificates import require_files
from infrastructure.dynamodb.client import Database, connect
from infrastructure.dynamodb.making import drop, make, missing
from infrastructure.dynamodb.printed import cloudformation, policy
from infrastructure.dynamodb.tables import EVENT_TABLES, READ_TABLES, Table
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.sides import EventTables


def tables_of(settings: Settings) -> Sequence[Table]:
    """Those that a service with these settings needs."""
    kept = ((EVENT_TABLES, settings.event_store), (READ_TABLES, settings.read_models))
    return [table for tables, store in kept if store == "dynamodb" for table in tables]


def event_tables(settings: Settings) -> EventTables:
    """Nothing is asked of DynamoDB for what is printed."""
    prefix, region = settings.dynamodb_table_prefix, settings.dynamodb_region
    return EventTables(
        lambda: _make(settings),
        cloudformation(tables_of(settings), prefix),
        policy(prefix, region, tables_of(settings)),
        lambda: _apart(settings),
    )


@asynccontextmanager
async def _apart(settings: Settings) -> AsyncIterator[Mapping[str, str]]:
    prefix = f"{settings.dynamodb_table_prefix}apart-{uuid4().hex[:8]}-"
    events = [table for table in tables_of(settings) if table in EVENT_TABLES]
    passing = [replace(table, lasts=False) for table in events]
    async with database_of(settings.model_copy(update={"dynamodb_table_prefix": prefix})) as opened:
        try:
            with _named(settings):
                await make(opened, passing)
            yield {"dynamodb_table_prefix": prefix}
        finally:
            for table in passing:
                await drop(opened, table)


async def _make(settings: Settings) -> Sequence[str]:
    async with database_of(settings) as database:
        with _named(settings):
            return [database.table(name) for name in await make(database, tables_of(settings))]


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[Database]:
    """Raises ``StoreUnavailable``, and :class:`InvalidSettings` with the name of the setting."""
    opening = connect(
        endpoint=settings.dynamodb_uri,
        region=settings.dynamodb_region,
        prefix=settings.dynamodb_table_prefix,
        ca_file=settings.dynamodb_ca_file,
    )
    require_files(settings, "dynamodb")
    async with AsyncExitStack() as stack:
        with _named(settings):
            database = await stack.enter_async_context(opening)
        yield database


async def require_tables(settings: Settings, database: Database, tables: Sequence[Table]) -> None:
    """Raises :class:`InvalidSettings` with the names of those that are not there."""
    with _named(settings):
        absent = await missing(database, tables)
    if absent:
        raise InvalidSettings(
            f"{settings.name_of('dynamodb_table_prefix')}: DynamoDB has no {', '.join(absent)} "
            f"{_where(settings, database)}: run `migrate`, or set it to what the tables begin with"
        )


@contextmanager
def _named(settings: Settings) -> Iterator[None]:
    """Inside, what is missing to reach DynamoDB raises :class:`InvalidSettings` with the name of
    the setting."""
    try:
        yield
    except StoreUnavailable as error:
        match error.__cause__:
            case SSLError() as failure if settings.dynamodb_uri:
                reason = " ".join(str(failure).split())
                raise InvalidSettings(
                    f"{settings.name_of('dynamodb_ca_file')}: {settings.dynamodb_uri} cannot be "
                    f"trusted ({reason}): set it to the certificate of the authority that signs "
                    f"the server's, and {settings.name_of('dynamodb_uri')} to a host that it names"
                ) from error
            case NoRegionError():
                name = settings.name_of("dynamodb_region")
                raise InvalidSettings(
                    f"{name}: set it to the AWS region of the tables, or set AWS_DEFAULT_REGION"
                ) from error
            case InvalidRegionError():
                region = settings.dynamodb_region
                raise InvalidSettings(
                    f"{settings.name_of('dynamodb_region')}: {region!r} is no AWS region: write it "
                    "like eu-central-1"
                ) from error
            case NoCredentialsError():
                raise InvalidSettings(
                    f"{settings.name_of('event_store')}: dynamodb needs AWS credentials, and none "
                    "were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
                    "or give the machine a role"
                ) from error
        raise
    except ValueError as error:
        raise InvalidSettings(f"{settings.name_of('dynamodb_uri')}: {error}") from None


def _where(settings: Settings, database: Database) -> str:
    region = database.client.meta.region_name
    return f"at {settings.dynamodb_uri}" if settings.dynamodb_uri else f"in {region}"

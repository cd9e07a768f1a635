"""A service with its events in DynamoDB: opened, or refused with the name of what is missing."""

from collections.abc import Mapping

import pytest

from application.ports import StoreUnavailable
from infrastructure.connecting import opened
from infrastructure.container import wired
from infrastructure.dynamodb.opening import tables_of
from infrastructure.dynamodb.tables import EVENT_TABLES, READ_TABLES
from infrastructure.settings import InvalidSettings
from infrastructure.settings.stores import READ_MODELS
from tests.dynamodb.opened import any_credentials
from tests.sample.client import bank_over
from tests.sample.program import BANK
from tests.stores import only_on, settings_of

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE")


@only_on("dynamodb")  # it is about its settings
async def test_a_transfer_is_carried_out(servers: Mapping[str, str]) -> None:
    """Commands, sagas and read models work on it, and it has nothing else but an address."""
    async with bank_over(wired(BANK, settings_of(servers))) as bank:
        assert (await bank.get(await bank.requested())).status_code == 200


@pytest.mark.parametrize("views", READ_MODELS)
def test_tables_are_those_of_what_is_kept_there(views: str) -> None:
    """`migrate` makes those of the events, and those of read models where they are there, too."""
    given = {"HEADWATER_EVENT_STORE": "dynamodb", "HEADWATER_READ_MODELS": views}
    also = READ_TABLES if views == "dynamodb" else ()
    assert tables_of(settings_of(given)) == [*EVENT_TABLES, *also]


async def _refused(given: Mapping[str, str]) -> str:
    settings = settings_of({"HEADWATER_EVENT_STORE": "dynamodb", **given})
    with pytest.raises(InvalidSettings) as refused:
        async with opened(wired(BANK, settings), "event_side"):
            pass
    return str(refused.value)


async def test_tables_that_are_missing_are_named(dynamodb: str) -> None:
    """With the place, the command that makes them, and the setting that may be wrong."""
    any_credentials()
    told = await _refused(
        {"HEADWATER_DYNAMODB_URI": dynamodb, "HEADWATER_DYNAMODB_TABLE_PREFIX": "elsewhere-"}
    )
    assert told == (
        "HEADWATER_DYNAMODB_TABLE_PREFIX: DynamoDB has no elsewhere-streams, elsewhere-log, "
        f"elsewhere-groups at {dynamodb}: run `migrate`, or set it to what the tables begin with"
    )


async def test_a_region_or_credentials_that_are_missing_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where AWS's own tools would not find any either; nothing is sent to AWS."""
    for name in (*CREDENTIALS, "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    told = await _refused({})
    assert told.startswith("HEADWATER_DYNAMODB_REGION: set it to the AWS region of the tables")
    told = await _refused({"HEADWATER_DYNAMODB_REGION": "eu central"})
    assert told.startswith("HEADWATER_DYNAMODB_REGION: 'eu central' is no AWS region")
    told = await _refused({"HEADWATER_DYNAMODB_REGION": "eu-central-1"})
    assert told.startswith("HEADWATER_EVENT_STORE: dynamodb needs AWS credentials")


async def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every fault of what AWS's tools are set to: in words, and by the name that is set."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    settings = settings_of({"HEADWATER_EVENT_STORE": "dynamodb"})
    with pytest.raises(StoreUnavailable, match=r"DynamoDB: The config profile \(nobody\)"):
        async with opened(wired(BANK, settings), "event_side"):
            pass

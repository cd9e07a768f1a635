"""Errors of DynamoDB: which pass by themselves, which blame the request, and which the store."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from application.ports import StoreUnavailable
from infrastructure.dynamodb.client import Database, connect
from infrastructure.dynamodb.failures import (
    cancelled,
    code_of,
    condition_failed,
    is_busy,
    unavailable,
)
from infrastructure.dynamodb.tables import GROUPS
from infrastructure.dynamodb.values import text
from tests.dynamodb.faults import (
    Answer,
    Call,
    Fault,
    Faults,
    Send,
    SentLate,
    answer_lost,
    in_conflict,
    request_lost,
    server_error,
    short_page,
    throttled,
)
from tests.dynamodb.opened import any_credentials, database


async def put(database: Database, name: str) -> None:
    await database.client.put_item(
        TableName=database.table(GROUPS.name),
        Item={"name": text(name)},
        ConditionExpression="attribute_not_exists(#name)",
        ExpressionAttributeNames={"#name": "name"},
    )


async def put_all(database: Database, *names: str) -> None:
    table, condition = database.table(GROUPS.name), "attribute_not_exists(#name)"
    puts: list[Any] = [
        {
            "Put": {
                "TableName": table,
                "Item": {"name": text(name)},
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#name": "name"},
            }
        }
        for name in names
    ]
    await database.client.transact_write_items(TransactItems=puts)


async def names(database: Database) -> set[str]:
    found = await database.client.scan(TableName=database.table(GROUPS.name), ConsistentRead=True)
    return {str(item["name"]["S"]) for item in found["Items"]}


@pytest.mark.parametrize("fault", [throttled, in_conflict, server_error])
async def test_what_passes_by_itself_is_known(dynamodb: str, fault: Fault) -> None:
    """Throttling and conflicts are never taken for a condition that failed, and write nothing."""
    faults = Faults()
    async with database(dynamodb, faults, tables=[GROUPS]) as db:
        faults.next = fault
        for write in (put(db, "one"), put_all(db, "one", "two")):
            with pytest.raises(ClientError) as error:
                await write
            assert is_busy(error.value), error.value
            assert not condition_failed(error.value)
            with pytest.raises(StoreUnavailable), unavailable():
                raise error.value
        faults.only(fault, times=0)
        assert await names(db) == set()


async def test_conditions_are_told_from_busyness_item_by_item(dynamodb: str) -> None:
    """A transaction names the item whose condition failed, and is then not worth repeating."""
    async with database(dynamodb, tables=[GROUPS]) as db:
        await put(db, "two")
        with pytest.raises(ClientError) as error, unavailable():
            await put_all(db, "one", "two", "three")

        reasons = cancelled(error.value) or []
        assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]
        assert not is_busy(error.value)
        with pytest.raises(ClientError) as error, unavailable():
            await put(db, "two")
        assert condition_failed(error.value)


async def test_a_lost_answer_leaves_the_outcome_open(dynamodb: str) -> None:
    """The error is the same whether the server never got the call, has done it, or will do it."""
    faults, late = Faults(), SentLate()
    async with database(dynamodb, faults, tables=[GROUPS]) as db:
        lost: list[Fault] = [request_lost, answer_lost, late]
        for number, fault in enumerate(lost):
            faults.only(fault, "PutItem", times=1)
            with pytest.raises(StoreUnavailable), unavailable():
                await put(db, str(number))
        assert await names(db) == {"1"}
        await late.arrive()
        assert await names(db) == {"1", "2"}


async def test_pages_and_batches_may_be_cut(dynamodb: str) -> None:
    """The fault gives less than was asked for, and says how to go on."""
    faults = Faults()
    async with database(dynamodb, faults, tables=[GROUPS]) as db:
        await put_all(db, "one", "two", "three")
        faults.next = short_page
        table = db.table(GROUPS.name)
        page = await db.client.scan(TableName=table)
        keys = [{"name": text(name)} for name in ("one", "two", "three")]
        batch = await db.client.batch_get_item(RequestItems={table: {"Keys": keys}})

        assert len(page["Items"]) == 1
        assert page["LastEvaluatedKey"]
        assert len(batch["Responses"][table]) == 1
        assert len(batch["UnprocessedKeys"][table]["Keys"]) == 2
        assert [call.operation for call in faults.calls[-2:]] == ["Scan", "BatchGetItem"]


async def test_a_missing_table_names_the_command_that_makes_it(dynamodb: str) -> None:
    """``migrate`` has to run first."""
    any_credentials()
    async with connect(endpoint=dynamodb, prefix="never-made-") as db:
        with pytest.raises(StoreUnavailable, match="missing: run `migrate`"), unavailable():
            await put(db, "one")


def test_what_a_role_may_not_do_is_told() -> None:
    """A refusal by the account is not taken for an error of the request."""
    error = ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem")
    assert code_of(error) == "AccessDeniedException"
    with pytest.raises(StoreUnavailable, match="this role may not do that"), unavailable():
        raise error


async def test_another_server_at_the_address_is_no_dynamodb(dynamodb: str) -> None:
    """A page that it answers is cut to a line; it is no error about the request."""

    async def page(_: Call, __: Send) -> Answer:
        return Answer(404, {"message": "<html>\n" * 200})

    async with database(dynamodb, Faults(page)) as db:
        with (
            pytest.raises(StoreUnavailable, match="what answers there is no DynamoDB") as told,
            unavailable(),
        ):
            await put(db, "a")
        assert len(str(told.value).splitlines()) == 1
        assert len(str(told.value)) < 400

"""What an account needs, printed for those who make tables and roles themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from infrastructure.dynamodb.tables import (
    COORDINATION,
    EVENT_TABLES,
    GROUPS,
    KEYS,
    LOG,
    STREAMS,
    VIEWS,
    Table,
    specification,
)

_EVENTS: Final = (STREAMS, LOG)
_ALLOWED: Final[Mapping[str, Sequence[str]]] = {
    STREAMS.name: ("BatchGetItem", "DescribeTable", "PutItem", "Query"),
    LOG.name: ("DescribeTable", "PutItem", "Query"),
    GROUPS.name: ("BatchGetItem", "DeleteItem", "DescribeTable", "GetItem", "PutItem"),
    COORDINATION.name: (
        *("BatchGetItem", "DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query"),
        "UpdateItem",
    ),
    KEYS.name: (*("BatchGetItem", "DeleteItem", "DescribeTable", "GetItem", "PutItem", "Scan"),),
    VIEWS.name: ("BatchGetItem", "DeleteItem", "DescribeTable", "PutItem", "Query"),
}
"""What the service does with each table, as IAM calls it. A transaction is what it is made of."""
_DENIED: Final = (
    *("BatchWriteItem", "DeleteItem", "DeleteTable", "UpdateItem", "UpdateTable"),
    *("PartiQLDelete", "PartiQLUpdate", "RestoreTableToPointInTime", "UpdateTimeToLive"),
)
"""What would change or delete events, and what the service may not do, whatever else allows it."""


def cloudformation(tables: Sequence[Table], prefix: str) -> dict[str, Any]:
    """A template that makes the same tables. Deleting the stack keeps them."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The tables of the service with the prefix {prefix}",
        "Resources": {
            "".join(part.title() for part in table.name.split("-")): {
                "Type": "AWS::DynamoDB::Table",
                "DeletionPolicy": "Retain" if table.lasts else "Delete",
                "UpdateReplacePolicy": "Retain" if table.lasts else "Delete",
                "Properties": {
                    **specification(table, prefix),
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": table.lasts},
                },
            }
            for table in tables
        },
    }


def policy(
    prefix: str, region: str | None = None, tables: Sequence[Table] = EVENT_TABLES
) -> dict[str, Any]:
    """An IAM policy for the role of a service with these tables: it can neither update nor delete
    events.

    IAM cannot demand a condition of a put: that none replaces an item is the code's promise.
    """
    names = {table.name: _arn(f"{prefix}{table.name}", region) for table in tables}
    allowed = [
        {
            "Sid": table.name.title(),
            "Effect": "Allow",
            "Action": _named(_ALLOWED[table.name]),
            "Resource": _and_indexes(table, names[table.name]),
        }
        for table in tables
    ]
    events = [names[table.name] for table in tables if table in _EVENTS]
    denied = {
        "Sid": "EventsAreImmutable",
        "Effect": "Deny",
        "Action": _named(_DENIED),
        "Resource": events,
    }
    return {"Version": "2012-10-17", "Statement": [*allowed, *([denied] if events else [])]}


def _and_indexes(table: Table, arn: str) -> str | list[str]:
    return [arn, f"{arn}/index/*"] if table.indexes else arn


def _arn(table: str, region: str | None) -> str:
    return f"arn:aws:dynamodb:{region or '*'}:*:table/{table}"


def _named(actions: Sequence[str]) -> list[str]:
    return [f"dynamodb:{action}" for action in actions]

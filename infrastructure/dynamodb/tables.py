"""The tables: each is a value, from which it is made, and described to those who make it.

Every table is billed by request, can be restored to any second of the last 35 days, cannot be
deleted before its protection is taken off, and carries a tag. Nothing in them expires.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

TAG: Final = "headwater"
"""The tag of every table; its value is the beginning of the tables' names."""


@dataclass(frozen=True)
class Key:
    """An attribute of a key: ``S`` for text, ``N`` for a number."""

    name: str
    kind: str = "S"


@dataclass(frozen=True)
class Index:
    """A second order of a table's items (GSI). It follows the table after a moment."""

    name: str
    partition: Key
    sort: Key | None = None
    includes: Sequence[str] | None = None
    """The attributes that it has besides keys; ``None``: all."""


@dataclass(frozen=True)
class Table:
    """One table, without the beginning of its name."""

    name: str
    partition: Key
    sort: Key | None = None
    indexes: Sequence[Index] = ()
    lasts: bool = True
    """Whether it holds what cannot be made again: then it is protected and can be restored."""


STREAMS: Final = Table("streams", Key("stream"), Key("version", "N"))
"""The events, in the order of their streams."""
LOG: Final = Table("log", Key("part", "N"), Key("position", "N"))
"""The order of all events."""
GROUPS: Final = Table("groups", Key("name"))
"""Consumer groups: how far each has come, and what its consumers hold."""

EVENT_TABLES: Final = (STREAMS, LOG, GROUPS)
"""All that ``EVENT_STORE=dynamodb`` needs."""

COORDINATION: Final = Table("coordination", Key("what"), Key("which"))
"""Checkpoints and leases, and which builds of read models there are."""

SLOTS: Final = 10
"""By how many fields a read model can be found."""
VIEWS: Final = Table(
    "views",
    Key("place"),
    Key("which"),
    [Index(f"by{at}", Key("place"), Key(f"by{at}"), includes=()) for at in range(SLOTS)],
    lasts=False,
)
"""The views of all builds. An index has the views that have its field, and no table is made for a
build: a deploy needs no right to make tables."""

KEYS: Final = Table("keys", Key("what"))
"""The keys of data subjects, wrapped, and who was forgotten."""

READ_TABLES: Final = (COORDINATION, VIEWS, KEYS)
"""All that read models need, and the keys of data subjects, which are beside them."""


def specification(table: Table, prefix: str) -> dict[str, Any]:
    """What describes the table to ``CreateTable`` and to CloudFormation alike."""
    keys = [*_keys(table), *(key for index in table.indexes for key in _keys(index))]
    kinds = {key.name: key.kind for key in keys}
    described: dict[str, Any] = {
        "TableName": f"{prefix}{table.name}",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()
        ],
        "KeySchema": schema(table),
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": table.lasts,
        "Tags": [{"Key": TAG, "Value": prefix}],
    }
    if table.indexes:
        described["GlobalSecondaryIndexes"] = [
            {"IndexName": one.name, "KeySchema": schema(one), "Projection": _projection(one)}
            for one in table.indexes
        ]
    return described


def _keys(ordered: Table | Index) -> Sequence[Key]:
    return [ordered.partition, *filter(None, [ordered.sort])]


def schema(ordered: Table | Index) -> list[dict[str, str]]:
    """Its keys, as DynamoDB describes them."""
    kinds = zip(_keys(ordered), ("HASH", "RANGE"), strict=False)
    return [{"AttributeName": key.name, "KeyType": kind} for key, kind in kinds]


def _projection(index: Index) -> dict[str, Any]:
    if index.includes is None:
        return {"ProjectionType": "ALL"}
    if not index.includes:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.includes)}

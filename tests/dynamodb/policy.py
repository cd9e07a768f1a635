"""What calls to DynamoDB need to be allowed, as IAM counts it, and what a policy allows."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.dynamodb.faults import Call

Action = tuple[str, str]
"""As IAM calls it, and the full name of the table."""


def actions(calls: Iterable[Call]) -> set[Action]:
    """What these calls need to be allowed."""
    return {action for call in calls for action, _ in _parts(call)}


def puts(calls: Iterable[Call]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each put, alone or in a transaction, with its table."""
    for call in calls:
        for (action, table), asked in _parts(call):
            if action == "dynamodb:PutItem":
                yield table, asked


def allows(policy: Mapping[str, Any], action: Action) -> bool:
    """Whether a role with this policy alone may do it: a denial wins."""
    effects = {one["Effect"] for one in policy["Statement"] if _is_about(one, action)}
    return effects == {"Allow"}


def _parts(call: Call) -> Iterator[tuple[Action, Mapping[str, Any]]]:
    match call.operation:
        case "TransactWriteItems":
            for item in call.asked["TransactItems"]:
                ((kind, asked),) = item.items()
                action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
                yield _action(action, asked["TableName"]), asked
        case "BatchGetItem":
            for table, asked in call.asked["RequestItems"].items():
                yield _action(call.operation, table), asked
        case _:
            yield _action(call.operation, call.asked["TableName"]), call.asked


def _action(operation: str, table: str) -> Action:
    return f"dynamodb:{operation}", table


def _is_about(statement: Mapping[str, Any], action: Action) -> bool:
    name, table = action
    arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{table}"
    return _matches(statement["Action"], name) and _matches(statement["Resource"], arn)


def _matches(patterns: str | list[str], name: str) -> bool:
    several = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(name, pattern) for pattern in several)

"""A DynamoDB: the one that ``DYNAMODB_URI`` names, or ministack, a double in memory."""

from contextlib import AbstractContextManager

from tests.servers import DYNAMODB, available


def dynamodb_server() -> AbstractContextManager[str]:
    """The address of a server, for as long as the context lasts."""
    return available(DYNAMODB)

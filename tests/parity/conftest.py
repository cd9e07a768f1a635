"""The servers are those of the contract suites."""

from tests.contracts.conftest import dynamodb_with_events, postgres_with_events

__all__ = ["dynamodb_with_events", "postgres_with_events"]

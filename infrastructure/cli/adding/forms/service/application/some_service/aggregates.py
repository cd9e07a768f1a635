"""The aggregates of the service: the decider, commands and events of each."""
# if tiny

from typing import Final

from application.category import Category
from domain import some_aggregates
from domain.some_aggregates import SomeAggregateCommand, SomeAggregateEvent

SOME_AGGREGATE: Final = Category.of(
    "some_aggregate",
    some_aggregates.decider,
    SomeAggregateCommand,
    SomeAggregateEvent,
)
# end if

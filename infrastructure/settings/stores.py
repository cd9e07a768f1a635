"""Where events and read models are: which stores there are, and which settings lead to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

from pydantic import model_validator

from infrastructure.settings.naming import NamedSettings

EventStore = Literal[
    # the first one is used where none is set
    "eventstoredb",  # only: eventstoredb
    "postgres",  # only: postgres_events
    "dynamodb",  # only: dynamodb_events
]
ReadModels = Literal[
    # as above
    "postgres",  # only: postgres_views
    "dynamodb",  # only: dynamodb_views
]
EVENT_STORES: Final[Sequence[EventStore]] = get_args(EventStore)
READ_MODELS: Final[Sequence[ReadModels]] = get_args(ReadModels)


@dataclass(frozen=True)
class Store:
    """What settings have to know of a store."""

    name: str
    fields: Sequence[str]
    """The settings that lead to what is in it; the first one has the address."""
    has_own_address: bool = False
    """Whether it is reached without an address, too."""
    joins_both: bool = False
    """Whether events that are there have their read models in the same database, and share
    transactions with them."""


STORES: Final[Mapping[str, Store]] = {
    "eventstoredb": Store("EventStoreDB", ["eventstoredb_uri"]),  # only: eventstoredb
    "postgres": Store("PostgreSQL", ["postgres_uri"], joins_both=True),  # only: postgres
    # only: dynamodb
    "dynamodb": Store(
        "DynamoDB",
        ["dynamodb_uri", "dynamodb_region", "dynamodb_table_prefix"],
        has_own_address=True,
    ),
    # end: dynamodb
}


def leading_to(store: str, values: Mapping[str, Any]) -> Mapping[str, str]:
    """Of these values of settings, those that lead to what is in that store. For equal stores
    they are equal."""
    return {field: values[field] for field in STORES[store].fields if values.get(field)}


class StoreSettings(NamedSettings):
    """Events and read models"""

    event_store: EventStore = EVENT_STORES[0]
    """Where events are stored. All processes need the same value."""
    read_models: ReadModels = READ_MODELS[0]
    """Where read models are kept. All processes need the same value."""

    @property
    def one_database(self) -> bool:
        """Whether events and read models are in one database, and can share a transaction."""
        return STORES[self.event_store].joins_both

    @property
    def events_in(self) -> str:
        """The field that has the address of the events' server."""
        return STORES[self.event_store].fields[0]

    @property
    def views_in(self) -> str:
        """The field that has the address of the read models' server."""
        return STORES[self.read_models].fields[0]

    # only: dynamodb
    @property
    def tables_in(self) -> Literal["dynamodb", "elsewhere"]:
        """Where tables are made before anything can start."""
        return "dynamodb" if "dynamodb" in (self.event_store, self.read_models) else "elsewhere"

    # end: dynamodb
    @property
    def servers(self) -> Sequence[str]:
        """The fields that name the servers of this event store and of the read models."""
        return tuple(dict.fromkeys((self.events_in, self.views_in)))

    def leads_to(self, field: str) -> bool:
        """Whether the server of that field is known."""
        known = {one.fields[0] for one in STORES.values() if one.has_own_address}
        return field in known or getattr(self, field) is not None

    @property
    def events_at(self) -> Mapping[str, str]:
        """What leads to the events, by fields; nothing, unless their server is known."""
        return leading_to(self.event_store, dict(self))

    @property
    def views_at(self) -> Mapping[str, str]:
        """What leads to read models in a store that needs no address, by fields; nothing for
        others: the address does."""
        if not STORES[self.read_models].has_own_address:
            return {}
        return {"read_models": self.read_models, **leading_to(self.read_models, dict(self))}

    def viewing_at(self, views_at: Mapping[str, str]) -> Self:
        """These settings, with the same read models as others, unless they name a place."""
        named = {"read_models", self.views_in} & self.model_fields_set
        return self if named or not views_at else self.model_copy(update=dict(views_at))

    @model_validator(mode="after")
    def _where_something_is(self) -> Self:
        """Nothing is set that leads to a store in which nothing would be."""
        events, views = self.name_of("event_store"), self.name_of("read_models")
        used: tuple[str, str] = (self.event_store, self.read_models)
        if self.one_database and used[0] != used[1]:
            raise ValueError(
                f"{views}: with {events}={self.event_store} read models are in the database of "
                "the events: unset it"
            )
        unused = [(store, of) for store, of in STORES.items() if store not in used]
        for store, field in ((store, field) for store, of in unused for field in of.fields):
            if field in self.model_fields_set and getattr(self, field) is not None:
                raise ValueError(
                    f"{self.name_of(field)}: nothing would be read or written there with "
                    f"{events}={self.event_store} and {views}={self.read_models}: unset it, or "
                    f"choose {store} by one of these"
                )
        return self

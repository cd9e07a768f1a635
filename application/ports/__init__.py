"""Every seam of the kit. An adapter implements a port, and passes the port's contract suite.

The contract of each is a test suite in ``tests/contracts/``, which runs on every adapter.
"""

# The table of ports:
#
#   port               what it is for
#   -----------------  ----------------------------------------
#   EventStore         append to streams and read them
#   Subscriptions      follow all events, in order
#   StoreFacts         which store it is, how much is in it
#   EventBrowser       find streams and events, for people
#   ConsumerGroups     share events among competing consumers
#   PayloadStore       keep what is too large for an event
#   SweepablePayloads  list these, remove what is not needed
#   KeyStore           the keys of data subjects, until they are forgotten
#
#   Bus                publish to other systems  # only: bus
#   IncomingRecords    receive the records of other parties  # only: bus
#   Copies             what other systems keep, to search it  # only: bus or temporal
#
#   Lookup             views by their keys
#   Finding            pages of views, by their fields
#   Searching          views by the words in them
#   Summing            exact sums over all views
#   Views              all of these, and how far they have come
#   WritableViews      views, parts and checkpoint of a build
#   GuardedViews       the same without transactions  # only: dynamodb_views or search
#   SearchIndex        the views of a build in a search engine  # only: search
#   SearchEngine       all indexes of one  # only: search
#   ReadModels         the views of every build
#   Builds             which builds there are, what fills each
#
#   Checkpoints        how far followers of the log have come
#   Leases             which process does what only one may do
#
# Where there are adapters, besides those in memory:
#
#   directory     PayloadStore, SweepablePayloads
#   EventStoreDB  EventStore, Subscriptions, StoreFacts  # only: eventstoredb
#   EventStoreDB  EventBrowser, ConsumerGroups  # only: eventstoredb
#   PostgreSQL    EventStore, Subscriptions, StoreFacts  # only: postgres_events
#   PostgreSQL    EventBrowser, ConsumerGroups  # only: postgres_events
#   PostgreSQL    Lookup, Finding, Searching, Summing, Views, WritableViews  # only: postgres
#   PostgreSQL    ReadModels, Builds, Checkpoints, Leases, KeyStore  # only: postgres
#   DynamoDB      EventStore, Subscriptions, StoreFacts  # only: dynamodb_events
#   DynamoDB      EventBrowser, ConsumerGroups  # only: dynamodb_events
#   DynamoDB      Lookup, Finding, Summing, Views, GuardedViews  # only: dynamodb_views
#   DynamoDB      ReadModels, Builds, Checkpoints, Leases, KeyStore  # only: dynamodb_views
#   S3            PayloadStore, SweepablePayloads  # only: s3
#   Kafka         Bus, IncomingRecords, Copies  # only: kafka
#   Temporal      Copies  # only: temporal
#   OpenSearch    SearchIndex, SearchEngine  # only: opensearch
#   Algolia       SearchIndex, SearchEngine  # only: algolia

from application.ports.browsing import (
    LARGEST_BROWSED,
    NEWEST,
    EventBrowser,
    Found,
    Incomplete,
    Reading,
    StreamSeen,
    Wanted,
)
from application.ports.builds import (
    Builds,
    NotOurs,
    WrongRole,
)
from application.ports.bus import (  # only: bus
    Bus,  # only: bus
    BusUnavailable,  # only: bus
    Fenced,  # only: bus
    ForwarderStanding,  # only: bus
    LastEvent,  # only: bus
    PositionLost,  # only: bus
    Publisher,  # only: bus
    RecordTooLarge,  # only: bus
    Sought,  # only: bus
    TopicStanding,  # only: bus
)  # only: bus
from application.ports.coordination import (
    CheckpointMoved,
    Checkpoints,
    Leases,
)
from application.ports.copies import (  # only: bus or temporal
    Copies,  # only: bus or temporal
    Copy,  # only: bus or temporal
)  # only: bus or temporal
from application.ports.events import (
    NO_STREAM,
    Appended,
    EventStore,
    Progress,
    StoreFacts,
    StreamDeleted,
    StreamHasHole,
    StreamUnusable,
    Subscriptions,
    WrongExpectedVersion,
    require_append,
    require_version,
)
from application.ports.filling import (
    GuardedViews,  # only: dynamodb_views or search
    Promise,
    WritableViews,
)
from application.ports.groups import (
    ConsumerGroups,
    Delivery,
    GroupInfo,
    no_such_group,
)
from application.ports.incoming import (  # only: bus
    Arrival,  # only: bus
    Arrivals,  # only: bus
    BusRecord,  # only: bus
    IncomingRecords,  # only: bus
    TopicLag,  # only: bus
)  # only: bus
from application.ports.keys import (
    Forgotten,
    KeyStore,
    require_subject,
)
from application.ports.payloads import (
    PayloadDamaged,
    PayloadStore,
    PayloadUnavailable,
    StoredPayload,
    SweepablePayloads,
    require_digest,
    require_whole,
)
from application.ports.providers import (
    Declined,
    Done,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from application.ports.read_models import (
    NotBuilt,
    ReadModels,
    answering,
)
from application.ports.search import (  # only: search
    IndexMissing,  # only: search
    SearchEngine,  # only: search
    SearchIndex,  # only: search
)  # only: search
from application.ports.unavailable import (
    StoreUnavailable,
)
from application.ports.views import (
    Changed,
    Finding,
    Lookup,
    Removed,
    Searching,
    Seen,
    Summing,
    Sums,
    Total,
    V,
    Views,
)

__all__ = [
    "LARGEST_BROWSED",
    "NEWEST",
    "NO_STREAM",
    "Appended",
    "Arrival",  # only: bus
    "Arrivals",  # only: bus
    "Builds",
    "Bus",  # only: bus
    "BusRecord",  # only: bus
    "BusUnavailable",  # only: bus
    "Changed",
    "CheckpointMoved",
    "Checkpoints",
    "ConsumerGroups",
    "Copies",  # only: bus or temporal
    "Copy",  # only: bus or temporal
    "Declined",
    "Delivery",
    "Done",
    "EventBrowser",
    "EventStore",
    "Fenced",  # only: bus
    "Finding",
    "Forgotten",
    "ForwarderStanding",  # only: bus
    "Found",
    "GroupInfo",
    "GuardedViews",  # only: dynamodb_views or search
    "IncomingRecords",  # only: bus
    "Incomplete",
    "IndexMissing",  # only: search
    "KeyStore",
    "LastEvent",  # only: bus
    "Leases",
    "Lookup",
    "NotBuilt",
    "NotOurs",
    "OutcomeUnknown",
    "PayloadDamaged",
    "PayloadStore",
    "PayloadUnavailable",
    "PositionLost",  # only: bus
    "Progress",
    "Promise",
    "ProviderRefused",
    "ProviderUnavailable",
    "Publisher",  # only: bus
    "ReadModels",
    "Reading",
    "RecordTooLarge",  # only: bus
    "Removed",
    "SearchEngine",  # only: search
    "SearchIndex",  # only: search
    "Searching",
    "Seen",
    "Sought",  # only: bus
    "StoreFacts",
    "StoreUnavailable",
    "StoredPayload",
    "StreamDeleted",
    "StreamHasHole",
    "StreamSeen",
    "StreamUnusable",
    "Subscriptions",
    "Summing",
    "Sums",
    "SweepablePayloads",
    "TopicLag",  # only: bus
    "TopicStanding",  # only: bus
    "Total",
    "V",
    "Views",
    "Wanted",
    "WritableViews",
    "WrongExpectedVersion",
    "WrongRole",
    "answering",
    "no_such_group",
    "require_append",
    "require_digest",
    "require_subject",
    "require_version",
    "require_whole",
]

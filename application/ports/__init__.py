"""Every seam of the kit. An adapter implements a port, and passes the port's contract suite.

    port               what it is for                                in
    -----------------  --------------------------------------------  --------------------------------
    EventStore         append to streams and read them               memory, EventStoreDB, PostgreSQL, DynamoDB
    Subscriptions      follow all events, in order                   memory, EventStoreDB, PostgreSQL, DynamoDB
    StoreFacts         which store it is, how much is in it          memory, EventStoreDB, PostgreSQL, DynamoDB
    ConsumerGroups     share events among competing consumers        memory, EventStoreDB, PostgreSQL, DynamoDB
    PayloadStore       keep what is too large for an event           memory, directory, S3
    SweepablePayloads  list them, and remove what is not needed      memory, directory, S3
    IncomingRecords    receive the records of other parties          memory, Kafka

    Lookup             views by their keys                           memory, PostgreSQL
    Finding            pages of views, by their fields               memory, PostgreSQL
    Searching          views by the words in them                    memory, PostgreSQL
    Summing            exact sums over all views                     memory, PostgreSQL
    Views              all of these, and how far they have come      memory, PostgreSQL
    WritableViews      views, parts and checkpoint of a build        memory, PostgreSQL
    GuardedViews       the same without transactions                 memory
    SearchIndex        the views of a build in a search engine       memory, OpenSearch
    SearchEngine       all indexes of one                            memory, OpenSearch
    ReadModels         the views of every build                      memory, PostgreSQL
    Builds             which builds there are, what fills each       memory, PostgreSQL

    Bus                topics for other systems                      memory

    Checkpoints        how far each follower of the log has come     memory, PostgreSQL, DynamoDB
    Leases             which process does what only one may do       memory, PostgreSQL, DynamoDB

The contract of each is a test suite in ``tests/contracts/``, which runs on every adapter.
"""  # noqa: E501 - a row of the table is one line

from application.ports.builds import (
    Builds,
    NotOurs,
    WrongRole,
)
from application.ports.bus import (
    Bus,
    BusUnavailable,
    Fenced,
    ForwarderStanding,
    LastEvent,
    PositionLost,
    Publisher,
    RecordTooLarge,
    TopicStanding,
)
from application.ports.coordination import (
    CheckpointMoved,
    Checkpoints,
    Leases,
)
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
    require_version,
)
from application.ports.filling import (
    GuardedViews,
    Promise,
    WritableViews,
)
from application.ports.groups import (
    ConsumerGroups,
    Delivery,
    GroupInfo,
)
from application.ports.incoming import (
    Arrival,
    Arrivals,
    BusRecord,
    IncomingRecords,
    TopicLag,
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
)
from application.ports.search import (
    IndexMissing,
    SearchEngine,
    SearchIndex,
)
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
    V,
    Views,
)

__all__ = [
    "NO_STREAM",
    "Appended",
    "Arrival",
    "Arrivals",
    "Builds",
    "Bus",
    "BusRecord",
    "BusUnavailable",
    "Changed",
    "CheckpointMoved",
    "Checkpoints",
    "ConsumerGroups",
    "Declined",
    "Delivery",
    "Done",
    "EventStore",
    "Fenced",
    "Finding",
    "ForwarderStanding",
    "GroupInfo",
    "GuardedViews",
    "IncomingRecords",
    "IndexMissing",
    "LastEvent",
    "Leases",
    "Lookup",
    "NotBuilt",
    "NotOurs",
    "OutcomeUnknown",
    "PayloadDamaged",
    "PayloadStore",
    "PayloadUnavailable",
    "PositionLost",
    "Progress",
    "Promise",
    "ProviderRefused",
    "ProviderUnavailable",
    "Publisher",
    "ReadModels",
    "RecordTooLarge",
    "Removed",
    "SearchEngine",
    "SearchIndex",
    "Searching",
    "Seen",
    "StoreFacts",
    "StoreUnavailable",
    "StoredPayload",
    "StreamDeleted",
    "StreamHasHole",
    "StreamUnusable",
    "Subscriptions",
    "Summing",
    "Sums",
    "SweepablePayloads",
    "TopicLag",
    "TopicStanding",
    "V",
    "Views",
    "WritableViews",
    "WrongExpectedVersion",
    "WrongRole",
    "require_digest",
    "require_version",
    "require_whole",
]

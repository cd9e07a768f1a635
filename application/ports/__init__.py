"""Every seam of the kit. An adapter fulfils one of these; its contract suite proves that it does.

    port             what it is for                                in
    ---------------  --------------------------------------------  --------------------------------
    EventStore       append to streams and read them               memory, EventStoreDB, PostgreSQL
    Subscriptions    follow all events, in order                   memory, EventStoreDB, PostgreSQL
    StoreFacts       which store it is, how much is in it          memory, EventStoreDB, PostgreSQL
    ConsumerGroups   share events among competing consumers        memory, EventStoreDB, PostgreSQL
    PayloadStore     keep what is too large for an event           memory, directory

    Views            what one build of a read model shows          memory, PostgreSQL
    ReadModels       the views that answer queries now             memory, PostgreSQL
    Builds           which builds there are, who fills each        memory, PostgreSQL

    Checkpoints      how far each follower of the log has come     memory, PostgreSQL
    Leases           which process does what only one may do       memory, PostgreSQL

The contract of each is a test suite in ``tests/contracts/``, which runs on every adapter.
"""

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
from application.ports.groups import (
    ConsumerGroups,
    Delivery,
    GroupInfo,
)
from application.ports.payloads import (
    PayloadStore,
    PayloadUnavailable,
)
from application.ports.providers import (
    Declined,
    Done,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnavailable,
)
from application.ports.read_models import (
    Builds,
    NotBuilt,
    NotOurs,
    ReadModels,
    Seen,
    Sums,
    V,
    Views,
    WrongRole,
)
from application.ports.unavailable import (
    StoreUnavailable,
)

__all__ = [
    "NO_STREAM",
    "Appended",
    "Builds",
    "CheckpointMoved",
    "Checkpoints",
    "ConsumerGroups",
    "Declined",
    "Delivery",
    "Done",
    "EventStore",
    "GroupInfo",
    "Leases",
    "NotBuilt",
    "NotOurs",
    "OutcomeUnknown",
    "PayloadStore",
    "PayloadUnavailable",
    "Progress",
    "ProviderRefused",
    "ProviderUnavailable",
    "ReadModels",
    "Seen",
    "StoreFacts",
    "StoreUnavailable",
    "StreamDeleted",
    "StreamHasHole",
    "StreamUnusable",
    "Subscriptions",
    "Sums",
    "V",
    "Views",
    "WrongExpectedVersion",
    "WrongRole",
    "require_version",
]

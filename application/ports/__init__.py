"""Every seam of the service. An adapter fulfils one of these and is held to it by its contract.

    EventStore      append and read streams             memory, EventStoreDB, PostgreSQL
    Subscriptions   follow all events, in order         memory, EventStoreDB, PostgreSQL
    StoreFacts      which store it is, and how much     memory, EventStoreDB, PostgreSQL
                    is in it
    ConsumerGroups  share events among competing        memory, EventStoreDB, PostgreSQL
                    consumers, each acknowledged
    PayloadStore    keep what is too large for an       memory, directory
                    event, by its hash
    Views           what a build of a projection        memory, PostgreSQL
                    shows, and how far it has come
    ReadModels      the views that answer queries now,  memory, PostgreSQL
                    and those of any other build
    Builds          which builds there are, who fills   memory, PostgreSQL
                    each, and what operators did

The contract of each port is a test suite in ``tests/contracts/``, run on every adapter.
"""

from application.ports.events import (
    NO_STREAM as NO_STREAM,
)
from application.ports.events import (
    Appended as Appended,
)
from application.ports.events import (
    EventStore as EventStore,
)
from application.ports.events import (
    Progress as Progress,
)
from application.ports.events import (
    StoreFacts as StoreFacts,
)
from application.ports.events import (
    StreamDeleted as StreamDeleted,
)
from application.ports.events import (
    StreamHasHole as StreamHasHole,
)
from application.ports.events import (
    StreamUnusable as StreamUnusable,
)
from application.ports.events import (
    Subscriptions as Subscriptions,
)
from application.ports.events import (
    WrongExpectedVersion as WrongExpectedVersion,
)
from application.ports.events import (
    require_version as require_version,
)
from application.ports.groups import (
    ConsumerGroups as ConsumerGroups,
)
from application.ports.groups import (
    Delivery as Delivery,
)
from application.ports.groups import (
    GroupInfo as GroupInfo,
)
from application.ports.payloads import (
    PayloadStore as PayloadStore,
)
from application.ports.payloads import (
    PayloadUnavailable as PayloadUnavailable,
)
from application.ports.providers import (
    Declined as Declined,
)
from application.ports.providers import (
    Done as Done,
)
from application.ports.providers import (
    OutcomeUnknown as OutcomeUnknown,
)
from application.ports.providers import (
    ProviderRefused as ProviderRefused,
)
from application.ports.providers import (
    ProviderUnavailable as ProviderUnavailable,
)
from application.ports.read_models import (
    Builds as Builds,
)
from application.ports.read_models import (
    CheckpointMoved as CheckpointMoved,
)
from application.ports.read_models import (
    NotBuilt as NotBuilt,
)
from application.ports.read_models import (
    NotOurs as NotOurs,
)
from application.ports.read_models import (
    ReadModels as ReadModels,
)
from application.ports.read_models import (
    Seen as Seen,
)
from application.ports.read_models import (
    Sums as Sums,
)
from application.ports.read_models import (
    V as V,
)
from application.ports.read_models import (
    Views as Views,
)
from application.ports.read_models import (
    WrongRole as WrongRole,
)
from application.ports.unavailable import (
    StoreUnavailable as StoreUnavailable,
)

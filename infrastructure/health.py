"""Whether a process can do the work of its roles now, and if not, why."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from application.backpressure import Backpressure, Overloaded
from application.forwarding import Forwarder  # only: bus
from application.ports import (
    Builds,
    BusUnavailable,  # only: bus
    ConsumerGroups,
    PayloadStore,
    ProviderUnavailable,
    StoreFacts,
    StoreUnavailable,
)
from application.projections.lag import Lags
from application.projections.staleness import Staleness
from application.receiving.receiver import Receiver  # only: bus
from application.writability import Writability
from infrastructure.program import Check
from infrastructure.roles import CALLING_OUT, Role
from infrastructure.sides import (  # only: search or temporal
    Apart,  # only: search
    SagaSide,  # only: temporal
)  # only: search or temporal
from infrastructure.working import Working

PATIENCE = 2.0  # seconds after which a server counts as unavailable
_OK: Final = "ok"
_BUS: Final = "bus"  # only: bus
_PAYLOADS: Final = "payload store"
_APPENDING: Final = frozenset({Role.API, Role.SAGAS})
_READING_VIEWS: Final = frozenset({Role.API, Role.PROJECTIONS})


@dataclass(frozen=True)
class Readiness:
    """Each dependency of the process by name, with ``ok`` or the fault."""

    checks: Mapping[str, str]
    may_be_away: frozenset[str] = field(default=frozenset())

    @property
    def wrong(self) -> Mapping[str, str]:
        """The faults that keep it from its work. Without any, the process is ready."""
        return {
            name: found
            for name, found in self.checks.items()
            if found != _OK and name not in self.may_be_away
        }

    @property
    def detail(self) -> str:
        """The faults in one line; empty when it is ready."""
        return "; ".join(f"{name}: {reason}" for name, reason in self.wrong.items())


@dataclass(frozen=True)
class Health:
    """Checks what the roles of this process depend on.

    =================  ====================================================================
    a process of …     is ready while …
    =================  ====================================================================
    any role           the event store answers, and all tasks of the process are at work
    the API            appends are accepted, commands are not refused, and the read models
                       answer and keep their ``max_staleness``
    projections        the read models answer and keep their ``max_staleness``
    sagas              appends are accepted, events reach the consumer groups, and what drives
                       the sagas answers
    =================  ====================================================================

    A fault of what its work can wait for is shown, but the process is ready all the same: of what
    is ``outside``, and of a neighbour such as the payload store.
    """

    roles: Collection[Role]
    writability: Writability
    facts: StoreFacts
    backpressure: Backpressure
    groups: ConsumerGroups
    payloads: PayloadStore | None
    working: Working
    builds: Builds
    lags: Lags
    staleness: Staleness
    outside: Callable[[], Mapping[str, Check]]
    apart: Apart  # only: search
    receivers: Callable[[], Mapping[str, Receiver]]  # only: bus
    forwarder: Callable[[], Forwarder | None]  # only: bus
    sagas: Callable[[], SagaSide | None]  # only: temporal

    async def readiness(self) -> Readiness:
        """Run all checks concurrently, each for at most ``PATIENCE`` seconds."""
        may_be_away = dict(self.outside() if self._any_of(CALLING_OUT) else {})
        if self._any_of(_READING_VIEWS):  # only: search
            may_be_away |= self.apart.checks  # only: search
        if Role.SAGAS in self.roles:  # only: bus
            may_be_away |= self._receiving()  # only: bus
        checks = dict([*self._checks(), *may_be_away.items()])
        found = await asyncio.gather(*map(_answers, checks.values()))
        shown = dict(zip(checks, found, strict=True))
        if shown.get("read models") == shown["event store"] == _OK:
            for lag in await self.lags.all():
                if lag.answers:
                    shown[lag.build.name] = self.staleness.verdict(lag)
        may_not_matter = {
            *self.apart.names,  # only: search
            *may_be_away,
            _BUS,  # only: bus
            _PAYLOADS,
        }
        return Readiness(shown, frozenset(may_not_matter))

    def _checks(self) -> Iterator[tuple[str, Check]]:
        appending = self._any_of(_APPENDING)
        yield "event store", self.writability.check if appending else self.facts.head
        if Role.API in self.roles:
            yield "commands", self._admitted
        if Role.SAGAS in self.roles:
            yield "consumer groups", self._reached
            # only: temporal
            if side := self.sagas():
                yield "engine of sagas", side.check
            # end: temporal
        yield "tasks", self._at_work
        if self._any_of(_READING_VIEWS):
            yield "read models", self.builds.standings
        # only: bus
        if Role.FORWARDERS in self.roles and (forwarder := self.forwarder()):
            yield _BUS, partial(_published, forwarder)
        # end: bus
        if self.payloads:
            yield _PAYLOADS, partial(self.payloads.check, writable=False)

    def _any_of(self, roles: Collection[Role]) -> bool:
        return not set(roles).isdisjoint(self.roles)

    async def _admitted(self) -> None:
        self.backpressure.require()

    async def _reached(self) -> None:
        """Raises ``StoreUnavailable`` while new events reach no consumer group."""
        if fault := await self.groups.fault():
            raise StoreUnavailable(fault)

    # only: bus
    def _receiving(self) -> Mapping[str, Check]:
        """By publisher: each raises ``BusUnavailable`` while nothing can be received from it."""

        async def check(receiver: Receiver) -> None:
            if fault := receiver.fault:
                raise BusUnavailable(fault)

        receivers = self.receivers().items()
        return {f"received from {name}": partial(check, one) for name, one in receivers}

    # end: bus
    async def _at_work(self) -> None:
        """Raises ``StoreUnavailable`` while a background task is not at work."""
        if wrong := self.working.wrong:
            raise StoreUnavailable(wrong)


# only: bus
async def _published(forwarder: Forwarder) -> None:
    """Raises ``StoreUnavailable`` while it publishes nothing, though it is its turn."""
    if fault := forwarder.fault:
        raise StoreUnavailable(fault)


# end: bus
async def _answers(check: Check) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except (StoreUnavailable, ProviderUnavailable, Overloaded) as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except Exception as error:  # whatever it is: that is not ready
        return f"{type(error).__name__}: {error}"
    return _OK

"""Whether the service can do its work now, and if not, why."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Final

from application.backpressure import Backpressure, Overloaded
from application.ports import Builds, ConsumerGroups, ProviderUnavailable, StoreUnavailable
from application.projections.lag import Lags
from application.projections.staleness import Staleness
from application.writability import Writability
from infrastructure.program import Check
from infrastructure.working import Working

PATIENCE = 2.0  # seconds after which a server counts as unavailable
_OK: Final = "ok"


@dataclass(frozen=True)
class Readiness:
    """Each dependency of the service by name, with ``ok`` or the fault."""

    checks: Mapping[str, str]
    may_be_away: frozenset[str] = field(default=frozenset())

    @property
    def wrong(self) -> Mapping[str, str]:
        """The faults that make answers wrong or impossible. Without any, the service is ready."""
        return {
            name: found
            for name, found in self.checks.items()
            if found != _OK and name not in self.may_be_away
        }


@dataclass(frozen=True)
class Health:
    """Checks all dependencies of the service.

    A fault of ``outside`` is shown, but the service is ready all the same.
    """

    writability: Writability
    backpressure: Backpressure
    groups: ConsumerGroups
    working: Working
    builds: Builds
    lags: Lags
    staleness: Staleness
    outside: Mapping[str, Check]

    async def readiness(self) -> Readiness:
        """Run all checks concurrently, each for at most ``PATIENCE`` seconds."""
        questions = {
            "event store": self.writability.check(),
            "commands": self._admitted(),
            "consumer groups": self._reached(),
            "tasks": self._at_work(),
            "read models": self.builds.standings(),
            **{name: check() for name, check in self.outside.items()},
        }
        found = await asyncio.gather(*map(_answers, questions.values()))
        checks = dict(zip(questions, found, strict=True))
        if checks["read models"] == checks["event store"] == _OK:
            for lag in await self.lags.all():
                if lag.answers:
                    checks[lag.build.name] = self.staleness.verdict(lag)
        return Readiness(checks, frozenset(self.outside))

    async def _admitted(self) -> None:
        self.backpressure.require()

    async def _reached(self) -> None:
        """Raises ``StoreUnavailable`` while new events reach no consumer group."""
        if fault := await self.groups.fault():
            raise StoreUnavailable(fault)

    async def _at_work(self) -> None:
        """Raises ``StoreUnavailable`` while a background task is not at work."""
        if wrong := self.working.wrong:
            raise StoreUnavailable(wrong)


async def _answers(question: Awaitable[object]) -> str:
    try:
        await asyncio.wait_for(question, PATIENCE)
    except (StoreUnavailable, ProviderUnavailable, Overloaded) as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except Exception as error:  # whatever it is: that is not ready
        return f"{type(error).__name__}: {error}"
    return _OK

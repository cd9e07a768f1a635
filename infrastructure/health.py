"""Whether the service can do its work now, and if not, what is in the way."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Final

from application.backpressure import Overloaded
from application.ports import ProviderUnavailable, StoreUnavailable
from infrastructure.container import Container

PATIENCE = 2.0  # seconds that a server may take to answer before it counts as gone
_OK: Final = "ok"
_OUTSIDE: Final = frozenset({"payment provider", "carrier"})
"""What may be away while the service is ready: sagas wait for it, and orders are taken."""


@dataclass(frozen=True)
class Readiness:
    """Each thing that the service works with, and ``ok`` or what is wrong with it."""

    checks: Mapping[str, str]

    @property
    def wrong(self) -> Mapping[str, str]:
        """What keeps it from answering rightly: where this is empty, it is ready."""
        return {
            name: found
            for name, found in self.checks.items()
            if found != _OK and name not in _OUTSIDE
        }


async def readiness(wiring: Container) -> Readiness:
    """Ask everything at once; nothing for longer than ``PATIENCE``."""
    questions = {
        "event store": wiring.writability().check(),
        "commands": _admitted(wiring),
        "consumer groups": _reached(wiring),
        "tasks": _at_work(wiring),
        "read models": wiring.builds().standings(),
        "payment provider": wiring.payment_provider().find("readiness"),
        "carrier": wiring.carrier().find("readiness"),
    }
    found = await asyncio.gather(*map(_answers, questions.values()))
    checks = dict(zip(questions, found, strict=True))
    if checks["read models"] == checks["event store"] == _OK:
        for lag in await wiring.lags().all():
            if lag.answers:
                checks[lag.build.name] = wiring.staleness().verdict(lag)
    return Readiness(checks)


async def _admitted(wiring: Container) -> None:
    wiring.backpressure().require()


async def _reached(wiring: Container) -> None:
    """Raises ``StoreUnavailable`` while new events reach no consumer group, with what to do."""
    if fault := await wiring.consumer_groups().fault():
        raise StoreUnavailable(fault)


async def _at_work(wiring: Container) -> None:
    """Raises ``StoreUnavailable`` while something in the background is not at work, and why."""
    if wrong := wiring.working().wrong:
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

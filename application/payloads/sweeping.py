"""Removing the payloads to which no event refers: those whose writer was killed before its append.

The log is the judge, with the events of all programs in it. A payload is not removed at once:

    stored ──→ set aside ──→ removed      no event refers to it, then still not after the grace
       ↑           │
       └───────────┘                      an event refers to it by then, or it is put again

For a writer may have found the payload there just before it was set aside, and append its event
just after the log was read. It appends within ``TIMELY`` seconds or not at all. The grace is
longer, and the log is read again after it, beyond an event that was appended for that purpose. So
the event is seen, and until then the payload can be read.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from application.claim_check import refers
from application.event_filter import EVERYTHING
from application.log_end import Probing
from application.ports import PayloadUnavailable, StoredPayload, SweepablePayloads
from application.whole_log import EventLog, Report, Step, unreported, whole_log

SHORTEST: Final = timedelta(hours=1)
"""The least age and the least grace: far more than an append takes (``claim_check.TIMELY``), and
than the clocks of two machines may differ."""
Do = Callable[[StoredPayload], Awaitable[bool]]
Done = Sequence[StoredPayload]

_AT_ONCE: Final = 16  # payloads
_NOTHING: Final = StoredPayload("nothing", 0, datetime.fromtimestamp(0, UTC), aside=True)
"""What is not there. To remove it shows whether this role may remove anything."""
_DIGESTS: Final = re.compile(rb"[0-9a-f]{64}")


class NotTheJudge(Exception):
    """It is not certain that all events which refer to the payloads are in this log.

    ``log``: its id, if a person may confirm that it is the right one.
    """

    def __init__(self, what: str, log: str | None = None) -> None:
        super().__init__(what)
        self.log = log


@dataclass(frozen=True)
class Plan:
    """What a sweep does, or would do."""

    log: str
    """The id of the log that was read."""
    referred: int
    """How many different payloads its events refer to."""
    put_back: Sequence[StoredPayload] = ()
    set_aside: Sequence[StoredPayload] = ()
    remove: Sequence[StoredPayload] = ()
    waiting: Sequence[StoredPayload] = ()
    """Set aside, and within the grace."""


@dataclass(frozen=True)
class Sweep:
    """Over one store of payloads, by one log. Run one at a time."""

    log: EventLog
    probing: Probing
    payloads: SweepablePayloads
    clock: Callable[[], datetime]
    report: Report = field(default=unreported)
    together: Callable[..., Awaitable[Sequence[bool]]] = field(default=asyncio.gather)
    """How several calls are made; a test makes them one by one."""

    async def plan(
        self,
        older_than: timedelta,
        grace: timedelta,
        *,
        confirmed: str | None = None,
        probe: bool = True,
    ) -> Plan:
        """Changes nothing; ``probe`` appends an event, without which the plan may be out of date.

        ``confirmed`` is the id of the log, from a person who has made sure that it is the right
        one. Raises :class:`NotTheJudge`, ``StoreUnavailable``, and ``ValueError`` for less than
        :data:`SHORTEST`.
        """
        if min(older_than, grace) < SHORTEST:
            raise ValueError(f"payloads are kept for {SHORTEST} at least")
        log = await self._judge(confirmed)
        now = self.clock()
        listed = [one async for one in self.payloads.stored()]  # before the log is read
        until = (await self.probing.probe()).position if probe else None
        referred = await self._referred(until)
        if not referred and listed and confirmed is None:
            raise NotTheJudge(
                f"no event of this log refers to a payload, and {self.payloads} has some", log
            )
        aside = [one for one in listed if one.aside]
        orphans = [one for one in aside if one.digest not in referred]
        return Plan(
            log,
            len(referred),
            put_back=sorted(one for one in aside if one.digest in referred),
            set_aside=sorted(
                one
                for one in listed
                if not one.aside and one.digest not in referred and one.since <= now - older_than
            ),
            remove=sorted(one for one in orphans if one.since <= now - grace),
            waiting=sorted(one for one in orphans if one.since > now - grace),
        )

    async def carry_out(self, plan: Plan) -> Plan:
        """What was done of it. Raises ``StoreUnavailable``, first of all if nothing may be removed.

        Killed in the middle, the next sweep does the rest.
        """
        await self.payloads.remove(_NOTHING)
        return replace(
            plan,
            put_back=await self._each(plan.put_back, self._put_back, "putting payloads back"),
            remove=await self._each(plan.remove, self._remove, "removing payloads"),
            set_aside=await self._each(plan.set_aside, self._set_aside, "setting payloads aside"),
        )

    async def _each(self, payloads: Sequence[StoredPayload], do: Do, part: str) -> Done:
        """Those for which it was done."""
        done: list[StoredPayload] = []
        for start in range(0, len(payloads), _AT_ONCE):
            some = payloads[start : start + _AT_ONCE]
            was_done = await self.together(*map(do, some))
            done += [one for one, was in zip(some, was_done, strict=True) if was]
            self.report(Step(part, start + len(some), (start + len(some)) / len(payloads)))
        return done

    async def _judge(self, confirmed: str | None) -> str:
        """The id of the log, if it may judge."""
        log = await self.log.store_id()
        if log is None:
            raise NotTheJudge("the log has no event of this service yet")
        if confirmed is None:
            self._require_noted(log, await self.payloads.logs())
        elif confirmed != log:
            raise NotTheJudge(f"this is the log {log}, not {confirmed}")
        return log

    def _require_noted(self, log: str, noted: Collection[str]) -> None:
        if log not in noted:
            known = ", ".join(sorted(noted)) or "no log that is known yet"
            raise NotTheJudge(
                f"the payloads in {self.payloads} belong to {known}, and this is {log}", log
            )
        if others := sorted({*noted} - {log}):
            raise NotTheJudge(
                f"events of other logs refer to payloads in {self.payloads}, too: "
                f"{', '.join(others)}",
                log,
            )

    async def _referred(self, until: int | None) -> frozenset[str]:
        """The digests in all references, also in those that this release cannot read."""
        found: set[str] = set()
        async with whole_log(self.log, EVERYTHING, self.report, until=until) as events:
            async for recorded in events:
                if refers(recorded):
                    found.update(map(bytes.decode, _DIGESTS.findall(recorded.data)))
        return frozenset(found)

    async def _put_back(self, aside: StoredPayload) -> bool:
        with suppress(PayloadUnavailable):  # it is damaged: `verify` reports that
            await self.payloads.put(await self.payloads.get(aside.digest))
            return await self._remove(aside)
        return False

    async def _remove(self, aside: StoredPayload) -> bool:
        await self.payloads.remove(aside)
        return True

    async def _set_aside(self, stored: StoredPayload) -> bool:
        """A damaged payload stays: a writer may be replacing it now."""
        with suppress(PayloadUnavailable):
            if stored.is_payload:
                await self.payloads.get(stored.digest)
            await self.payloads.set_aside(stored)
            return True
        return False

"""Subscribers of one process share a subscription as far as they are at the same position."""

import asyncio
from collections.abc import AsyncIterator, Coroutine

from hypothesis import given
from hypothesis import strategies as st

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import Progress
from application.shared_subscription import SharedSubscription
from tests.application.following import ALL, TYPES, Log, Subscriber, all_at_end, settle
from tests.histories import law
from tests.virtual_time import in_virtual_time

KEPT = 8

Step = tuple[str, int]
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "join", "read", "read", "read all", "leave", "break", "wait"]),
        st.integers(0, 11),
    ),
    max_size=40,
)


def shared(log: Log) -> SharedSubscription:
    made = SharedSubscription(log, kept=KEPT, patience=1.0)
    made.expect(ALL)
    return made


def run(test: Coroutine[None, None, None]) -> None:
    in_virtual_time(test)


def test_an_event_is_received_and_decoded_once() -> None:
    """All subscribers get the same object, from one subscription, each only what it wants."""

    async def test() -> None:
        log = Log()
        await log.put("A", "B", "C")
        channel, both = (
            shared(log),
            [Subscriber(-1, ALL), Subscriber(-1, EventFilter.of("stream", "A"))],
        )
        for one in both:
            one.join(channel)
        await all_at_end(both)
        await log.put("A", "B", "A")
        await all_at_end(both)

        assert log.begun == 1
        assert both[0].last is not None
        assert both[0].last is both[1].last
        assert [len(one.events) for one in both] == [6, 3]
        for one in both:
            await one.leave()

    run(test())


class EndsOnce(Log):
    """A store that announces the end of the log once to each subscription, as some servers do."""

    async def _own(
        self, messages: AsyncIterator[RecordedEvent | Progress], broken: asyncio.Event
    ) -> AsyncIterator[RecordedEvent | Progress]:
        announced = False
        async for message in super()._own(messages, broken):
            is_end = isinstance(message, Progress) and message.caught_up
            if not (is_end and announced):
                yield message
            announced = announced or is_end


def test_one_that_comes_later_sees_the_end_of_the_log() -> None:
    """Also where events came after the store has announced the end, which it does once."""

    async def test() -> None:
        log = EndsOnce()
        channel, early = shared(log), Subscriber(-1, ALL)
        early.join(channel)
        await all_at_end([early])
        await log.put("A", "B", "C")
        await settle()
        for after in log.held(-1, ALL):
            late = Subscriber(after, ALL)
            late.join(channel)
            await all_at_end([late])
            await late.leave()

        assert log.begun == 1
        await early.leave()

    run(test())


def test_one_that_was_far_behind_joins_the_others() -> None:
    """It has a subscription of its own up to the end of the log; then there is one again."""

    async def test() -> None:
        log = Log()
        channel, early, late = shared(log), Subscriber(-1, ALL), Subscriber(-1, ALL)
        early.join(channel)
        await log.put(*TYPES * KEPT)
        await all_at_end([early])
        late.join(channel)
        await all_at_end([early, late])
        await log.put("A")
        await all_at_end([early, late])

        assert log.begun == 2
        assert early.last is late.last
        assert late.events == early.events == log.held(-1, ALL)
        await early.leave()
        await log.put("B")
        await all_at_end([late])
        assert late.events == log.held(-1, ALL)
        await late.leave()

    run(test())


def test_those_that_fill_together_wait_for_the_slowest() -> None:
    """Far from the end of the log, one reads at the pace of the other: nothing comes twice."""

    async def test() -> None:
        log = Log()
        await log.put(*TYPES * 10 * KEPT)
        channel, fast, slow = shared(log), Subscriber(-1, ALL), Subscriber(-1, ALL)
        fast.join(channel)
        slow.join(channel)
        fast.allow(1_500)
        while len(slow.events) < 30 * KEPT:
            slow.allow(1)
            await asyncio.sleep(0.5)  # less than the others' patience
            assert len(fast.events) - len(slow.events) <= 2 * KEPT

        assert log.begun == 1
        assert slow.events == fast.events == log.held(-1, ALL)
        for one in (fast, slow):
            await one.leave()

    run(test())


def test_one_that_does_not_move_holds_up_no_other() -> None:
    """Those that fill together go on without it after a while."""

    async def test() -> None:
        log = Log()
        await log.put(*TYPES * 10 * KEPT)
        channel, fast, stuck = shared(log), Subscriber(-1, ALL), Subscriber(-1, ALL)
        fast.join(channel)
        stuck.join(channel)
        stuck.allow(1)
        fast.allow(1_500)
        await asyncio.sleep(5.0)
        assert fast.at_end

        await all_at_end([stuck])
        assert stuck.events == log.held(-1, ALL)
        for one in (fast, stuck):
            await one.leave()

    run(test())


def test_a_slow_one_takes_no_memory_and_no_time_of_others() -> None:
    """At the end of the log nobody waits for it, and what it has not read is not kept for it."""

    async def test() -> None:
        log = Log()
        channel, fast, slow = shared(log), Subscriber(-1, ALL), Subscriber(-1, ALL)
        fast.join(channel)
        slow.join(channel)
        await all_at_end([fast])
        for _ in range(10 * KEPT):
            began = asyncio.get_running_loop().time()
            await log.put(*TYPES)
            await all_at_end([fast])
            assert asyncio.get_running_loop().time() - began < 1.0
        assert len(log.alive) <= 3 * KEPT

        await all_at_end([slow])
        assert slow.events == fast.events == log.held(-1, ALL)
        for one in (fast, slow):
            await one.leave()

    run(test())


def test_events_that_come_close_together_are_handed_on_together() -> None:
    """One that comes alone is there at once; of a thousand a second, those of 250 ms together."""

    async def test() -> None:
        log = Log()
        channel, one, clock = (
            SharedSubscription(log),
            Subscriber(-1, ALL),
            asyncio.get_running_loop().time,
        )
        one.join(channel)
        await all_at_end([one])
        await log.put("A")
        await asyncio.sleep(0.002)
        assert len(one.events) == 1

        one.allow(10_000)
        began, instants = clock(), set[float]()
        for _ in range(1_000):
            await log.put("A")
            await asyncio.sleep(0.001)
            instants.add(one.arrived_at)
        assert 4 <= len(instants) <= 10
        assert clock() - one.arrived_at <= 0.26
        assert clock() - began < 2.0
        await one.leave()

    run(test())


def test_readers_that_can_wait_have_the_log_read_rarely() -> None:
    """It rests at the end of the log; what came meanwhile is read then, and nothing is missing."""

    async def test() -> None:
        log, instants = Log(), set[float]()
        channel, one = SharedSubscription(log, rest=0.5), Subscriber(-1, ALL)
        one.join(channel)
        await all_at_end([one])
        one.allow(10_000)
        for _ in range(1_000):
            await log.put("A")
            await asyncio.sleep(0.001)
            instants.add(one.arrived_at)
        assert 2 <= len(instants) <= 6  # without a rest more: see above

        await asyncio.sleep(0.6)
        assert one.events == log.held(-1, ALL)
        await one.leave()

    run(test())


def test_each_is_told_of_a_failure_and_they_share_again() -> None:
    """A subscription that breaks breaks for all; the next one is one for all, too."""

    async def test() -> None:
        log = Log()
        channel, several = shared(log), [Subscriber(-1, ALL) for _ in range(3)]
        for one in several:
            one.join(channel)
        await all_at_end(several)
        log.break_off()
        await log.put("A")
        await all_at_end(several)

        assert [one.errors for one in several] == [1, 1, 1]
        assert log.begun == 2
        assert all(one.events == log.held(-1, ALL) for one in several)
        for one in several:
            await one.leave()

    run(test())


@law(100)
@given(_STEPS)
def test_each_gets_its_events_in_order_and_once(steps: list[Step]) -> None:
    """Whoever joins, leaves, is slow, and whatever fails, and when: none is missing, none twice."""
    run(_whatever_happens(steps))


async def _whatever_happens(steps: list[Step]) -> None:
    log = Log()
    await log.put("A", "B")
    channel = SharedSubscription(log, kept=KEPT, patience=1.0)
    channel.expect(EventFilter.of("stream", "A", "B"))  # not all that will be wanted
    wants = [ALL, *(EventFilter.of("stream", type) for type in TYPES)]
    several = [Subscriber(-1, wants[number % 4]) for number in range(6)]
    for step, number in steps:
        one = several[number % 6]
        match step:
            case "put":
                await log.put(*[TYPES[number % 3]] * number)
            case "join":
                one.join(channel)
            case "read":
                one.allow(number)
            case "read all":
                one.allow(100)
            case "leave":
                await one.leave()
            case "break":
                log.break_off()
            case "wait":
                await asyncio.sleep(number)
        await settle()
    for one in several:
        one.join(channel)
        one.allow(1_500)
    await asyncio.sleep(10.0)
    for one in several:
        assert one.events == log.held(-1, one.only)
    assert len(log.alive) <= 3 * KEPT * 6
    for one in several:
        await one.leave()
    assert len(asyncio.all_tasks()) == 1

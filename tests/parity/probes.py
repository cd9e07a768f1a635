"""What is tried on each store: the docstring of a probe is its row, and its answer a cell."""

import json
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import Final

from application.messages import NewEvent
from application.ports import NO_STREAM, Appended, WrongExpectedVersion
from tests.contracts.made_up import all_of, event, events, name, only
from tests.contracts.stores import Stores

Probe = Callable[[Stores], Awaitable[str]]


async def _tried(append: Awaitable[Appended]) -> str:
    try:
        await append
    except (ValueError, WrongExpectedVersion):
        return "refused"
    return "accepted"


async def _data(stores: Stores, data: bytes) -> str:
    """What becomes of it."""
    stream = name()
    appended = await _tried(stores.events.append(stream, [event(data=data)], NO_STREAM))
    if appended == "refused":
        return appended
    (stored,) = await all_of(stores.events.read(stream))
    return "byte for byte" if stored.data == data else "as the same JSON"


async def positions(stores: Stores) -> str:
    """positions of events that are appended one by one"""
    found, stream = [], name()
    for version in range(NO_STREAM, 4):
        found.append((await stores.events.append(stream, [event()], version)).position)
    return _distance(found)


async def positions_after_refusals(stores: Stores) -> str:
    """the same, with refused appends between them"""
    found, taken = [], name()
    await stores.events.append(taken, [event()], NO_STREAM)
    for _ in range(5):
        found.append((await stores.events.append(name(), [event()], NO_STREAM)).position)
        assert await _tried(stores.events.append(taken, [event()], NO_STREAM)) == "refused"
    return _distance(found)


def _distance(positions: Sequence[int]) -> str:
    apart = {after - before for before, after in pairwise(positions)}
    return "follow one another" if apart == {1} else "ascend, with gaps"


async def same_id(stores: Stores) -> str:
    """an event with the id of one in another stream"""
    one = event()
    await stores.events.append(name(), [one], NO_STREAM)
    return await _tried(stores.events.append(name(), [one], NO_STREAM))


async def json_data(stores: Stores) -> str:
    """data with spaces, and its keys in another order, is returned"""
    return await _data(stores, b'{"b": 1,  "a": 2}')


async def no_json(stores: Stores) -> str:
    """data that is no JSON"""
    return await _data(stores, b"note")


async def no_text(stores: Stores) -> str:
    """data that is not UTF-8"""
    return await _data(stores, b"\xff\xfe")


async def zero(stores: Stores) -> str:
    """data with U+0000 in a text"""
    return await _data(stores, json.dumps({"note": "\x00"}).encode())


async def long_name(stores: Stores) -> str:
    """a stream with a name of 2,000 bytes"""
    stream = f"{name()}-".ljust(2000, "x")
    return await _tried(stores.events.append(stream, [event()], NO_STREAM))


async def no_category(stores: Stores) -> str:
    """a stream without a category"""
    stream = name().replace("-", "")
    return await _tried(stores.events.append(stream, [event()], NO_STREAM))


async def many(stores: Stores) -> str:
    """an append of 1,000 events"""
    return await _tried(stores.events.append(name(), events(1000), NO_STREAM))


def _large(size: int) -> NewEvent:
    return event(data=json.dumps({"note": "x" * size}).encode())


async def large(stores: Stores) -> str:
    """an event of 1 MB, without a claim check"""
    return await _tried(stores.events.append(name(), [_large(10**6)], NO_STREAM))


async def much(stores: Stores) -> str:
    """an append of 5 MB: ten events of 500 KB"""
    batch = [_large(500_000) for _ in range(10)]
    return await _tried(stores.events.append(name(), batch, NO_STREAM))


async def counted(stores: Stores) -> str:
    """events of a type are counted"""
    type = name("Noted")
    await stores.events.append(name(), events(3, type), NO_STREAM)
    return "yes" if await stores.facts.count(only(type)) == 3 else "by reading them"


PROBES: Final[Sequence[Probe]] = (
    positions,
    positions_after_refusals,
    same_id,
    json_data,
    no_json,
    no_text,
    zero,
    long_name,
    no_category,
    many,
    large,
    much,
    counted,
)

"""Append: expected versions, repeated ids, invalid events and streams."""

from uuid import UUID, uuid4

from conformance.node import Node
from conformance.requests.batches import batch, batches
from conformance.requests.fields import Fields, stream
from conformance.requests.reads import events, of_stream, read
from conformance.requests.streams import append, append_raw, delete, event, tombstone
from conformance.scenarios import Answers, asks


@asks
async def append_expected_versions(node: Node) -> Answers:
    """An append to no stream, and to one of three events, with each kind of expectation."""
    for version in ("none", "exists", 0, 5):
        yield f"missing/{version}", await append(node, node.fresh("missing"), [event()], version)
    three = node.fresh("three")
    await append(node, three, [event(), event(), event()])
    for version in ("none", 0, 1, 7):
        yield f"three/{version}", await append(node, three, [event()], version)
    for version in (2, "exists", "any"):
        yield f"three/{version} ok", await append(node, three, [event()], version)


@asks
async def append_idempotence(node: Node) -> Answers:
    """The same events again: all, some, in another order, with more, under each expectation."""
    first = {"any": "any", "none": "none", "exists": "any", "exact": "none"}
    again = {"any": "any", "none": "none", "exists": "exists", "exact": "none"}
    for how in first:
        name, a, b, c = node.fresh("s"), event("A"), event("B"), event("C")
        await append(node, name, [a, b], first[how])
        for label, repeated in (
            ("all again", [a, b]),
            ("first again", [a]),
            ("second again", [b]),
            ("swapped", [b, a]),
            ("again and more", [a, b, c]),
            ("last and more", [b, c]),
        ):
            yield f"{how}: {label}", await append(node, name, repeated, again[how])
        there = await events(node, of_stream(name), count=100)
        yield f"{how}: what is there", [str(one).split(" ")[:2] for one in there]


@asks
async def append_same_id_twice_in_one(node: Node) -> Answers:
    """One id twice in one append, and that append repeated."""
    name, one = node.fresh("s"), event("A")
    yield "write", await append(node, name, [one, one])
    yield "there", len(await events(node, of_stream(name), count=10))
    yield "again", await append(node, name, [one, one])


@asks
async def append_idempotence_far_back(node: Node) -> Answers:
    """An id again that other events have followed."""
    name, one = node.fresh("s"), event("A")
    await append(node, name, [one], "none")
    await append(node, name, [event() for _ in range(5)])
    yield "exact -1 again", await append(node, name, [one], "none")
    yield "any again", await append(node, name, [one], "any")
    yield "exists again", await append(node, name, [one], "exists")
    yield "exact 5", await append(node, name, [one], 5)  # no id is looked for: written anew
    yield "count", len(await events(node, of_stream(name), count=100))


@asks
async def append_nothing(node: Node) -> Answers:
    """An append of no events."""
    name = node.fresh("s")
    await append(node, name, [event()])
    yield "missing any", await append(node, node.fresh("m"), [])
    yield "missing none", await append(node, node.fresh("m"), [], "none")
    yield "there any", await append(node, name, [])
    yield "there wrong", await append(node, name, [], 9)
    yield "there right", await append(node, name, [], 0)
    yield "batch missing", await batches(node, batch(node.fresh("m"), []))
    yield "batch there", await batches(node, batch(name, [], 0))


@asks
async def append_names(node: Node) -> Answers:
    """Streams with unusual names."""
    for label, name in (
        ("empty", ""),
        ("blank", "  "),
        ("all", "$all"),
        ("dollar", "$"),
        ("three", "$$$x"),
        ("four", "$$$$x"),
        ("meta of meta", "$$$$order-1"),
        ("slash", f"a/b {node.run}"),
        ("unicode", f"ünï-☃{node.run}"),
        ("nul", f"a\0b{node.run}"),
        ("long", "l" * 3000 + node.run),
        ("ce", f"$ce-{node.run}"),
        ("et", f"$et-{node.run}"),
        ("streams", "$streams"),
        ("at", f"1@x{node.run}"),
    ):
        yield label, await append(node, name, [event()])


@asks
async def append_bad_metadata(node: Node) -> Answers:
    """Events with a missing, empty or unusual type or content type."""
    for label, metadata in (
        ("no type", {"content-type": "application/json"}),
        ("no content type", {"type": "X"}),
        ("empty type", {"type": "", "content-type": "application/json"}),
        ("odd content type", {"type": "X", "content-type": "text/plain"}),
        ("json upper", {"type": "X", "content-type": "APPLICATION/JSON"}),
        ("octets", {"type": "X", "content-type": "application/octet-stream"}),
        ("nothing", {}),
        ("more", {"type": "X", "content-type": "application/json", "other": "y"}),
    ):
        name = node.fresh("s")
        yield (
            label,
            {
                "append": await append(node, name, [event() | {"metadata": metadata}]),
                "batch": await batches(
                    node, batch(node.fresh("s"), [event() | {"metadata": metadata}])
                ),
                "there": await read(node, of_stream(name), count=2),
            },
        )


@asks
async def append_ids(node: Node) -> Answers:
    """Ids in each form, and invalid ids."""
    without = event()
    del without["id"]
    for label, one in (
        ("not an id", event(event_id="not-an-id")),
        ("empty id", event(event_id="")),
        ("no id", without),
        ("nil id", event(event_id=str(UUID(int=0)))),
        ("hex id", event(event_id=uuid4().hex)),
        ("braces", event(event_id=f"{{{uuid4()}}}")),
        ("upper", event(event_id=str(uuid4()).upper())),
    ):
        yield label, await append(node, node.fresh("s"), [one])
    not_an_id = batch(node.fresh("s"), [event(event_id="not-an-id")])
    yield "batch not an id", await batches(node, not_an_id)
    yield "batch no id", await batches(node, batch(node.fresh("s"), [without]))


@asks
async def append_options_missing(node: Node) -> Answers:
    """Calls that do not say what they must."""
    options = {"options": {"streamIdentifier": stream(node.fresh("s")), "any": {}}}
    nowhere: Fields = {"options": {"any": {}}}
    whatever = {"options": {"streamIdentifier": stream(node.fresh("s"))}}
    proposed = {"proposedMessage": event()}
    yield "nothing", await append_raw(node)
    yield "no options", await append_raw(node, proposed)
    yield "options twice", await append_raw(node, options, options)
    yield "no expectation", await append_raw(node, whatever, proposed)
    yield "no stream", await append_raw(node, nowhere, proposed)
    request = batch(node.fresh("s"), [event()])
    yield "batch no options", await batches(node, _without("options", request))
    yield "batch no correlation", await batches(node, _without("correlationId", request), answers=1)
    yield "batch no expectation", await batches(node, batch(node.fresh("s"), [event()]) | whatever)


@asks
async def append_too_large(node: Node) -> Answers:
    """Appends around the limit of 1 MiB, in one event and in many."""
    for label, size in (("just below", 2**20 - 200), ("1 MiB", 2**20), ("2 MiB", 2 * 2**20)):
        large = f'"{"x" * size}"'
        yield label, await append(node, node.fresh("s"), [event(data=large)])
        yield f"batch {label}", await batches(node, batch(node.fresh("s"), [event(data=large)]))
    name, part = node.fresh("s"), f'"{"x" * 100_000}"'
    yield "many small", await append(node, name, [event(data=part) for _ in range(20)])
    yield "left behind", await read(node, of_stream(name), count=1)


@asks
async def append_deleted(node: Node) -> Answers:
    """An append to a stream that was deleted, softly or for good."""
    for version in ("any", "none", "exists", 1, 0):
        soft, tomb = await _two_events(node, "soft"), await _two_events(node, "tomb")
        await delete(node, soft)
        yield f"soft/{version}", await append(node, soft, [event("New")], version)
        yield f"soft/{version} read", await events(node, of_stream(soft), count=10)
        await tombstone(node, tomb)
        yield f"tomb/{version}", await append(node, tomb, [event()], version)
    tomb = node.fresh("tomb")
    await tombstone(node, tomb)
    yield "batch tomb", await batches(node, batch(tomb, [event()]))
    yield "meta of tomb", await append(node, f"$${tomb}", [event("$metadata")])
    soft = await _two_events(node, "soft")
    await delete(node, soft)
    yield "batch soft none", await batches(node, batch(soft, [event()], "none"))


async def _two_events(node: Node, label: str) -> str:
    name = node.fresh(label)
    await append(node, name, [event(), event()])
    return name


def _without(field: str, request: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in request.items() if name != field}

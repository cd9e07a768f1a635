"""Payloads in several stores at once."""

import pytest

from application.payloads.places import PayloadPlaces
from application.ports import PayloadDamaged, PayloadUnavailable, StoreUnavailable
from infrastructure import memory


class Broken(memory.PayloadStore):
    """A store that fails in one way."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self._failure = failure

    async def get(self, digest: str) -> bytes:  # noqa: ARG002 - as the port
        raise self._failure


async def test_what_is_put_goes_to_the_first() -> None:
    """Nothing is written to the other stores."""
    new, old = memory.PayloadStore(), memory.PayloadStore()

    digest = await PayloadPlaces(new, old).put(b"today's")

    assert await new.get(digest) == b"today's"
    assert [one async for one in old.stored()] == []


async def test_what_the_first_lacks_is_read_from_another() -> None:
    """The payloads of yesterday's store can be read, and nothing is reported for them."""
    new, old, reported = memory.PayloadStore(), memory.PayloadStore(), list[Exception]()
    digest = await old.put(b"yesterday's")

    assert await PayloadPlaces(new, old, report=reported.append).get(digest) == b"yesterday's"
    assert reported == []


@pytest.mark.parametrize("failure", [PayloadDamaged("damaged"), StoreUnavailable("down")])
async def test_a_fault_of_one_store_is_reported_if_another_has_it(failure: Exception) -> None:
    """A damaged payload, or a store that is down, does not keep the whole one from being read."""
    old, reported = memory.PayloadStore(), list[Exception]()
    digest = await old.put(b"whole")

    found = await PayloadPlaces(Broken(failure), old, report=reported.append).get(digest)

    assert (found, reported) == (b"whole", [failure])


@pytest.mark.parametrize(
    ("failures", "raised"),
    [
        ([PayloadUnavailable("no"), StoreUnavailable("down")], StoreUnavailable),
        ([PayloadDamaged("damaged"), PayloadUnavailable("no")], PayloadDamaged),
        ([PayloadUnavailable("no"), PayloadUnavailable("no")], PayloadUnavailable),
    ],
)
async def test_what_no_store_has_whole_is_refused(
    failures: list[Exception], raised: type[Exception]
) -> None:
    """It is missing only if every store has answered so; one that is down may have it."""
    with pytest.raises(raised) as refused:
        await PayloadPlaces(*map(Broken, failures)).get("0" * 64)

    assert type(refused.value) is raised

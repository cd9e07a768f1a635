"""The contract of ``KeyStore``, on every adapter."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from application.ports import Forgotten, KeyStore
from infrastructure import (
    dynamodb,  # only: dynamodb_views
    memory,
    postgres,  # only: postgres
)
from infrastructure.master_keys import MasterKeys
from tests.contracts.dynamodb import DYNAMODB, dynamodb_of  # only: dynamodb_views

_MASTER = MasterKeys(bytes(range(32)))


@pytest.fixture(
    params=[
        "memory",
        "postgres (real)",  # only: postgres
        DYNAMODB,  # only: dynamodb_views
    ]
)
async def keys(request: pytest.FixtureRequest) -> AsyncIterator[KeyStore]:
    if request.param == "memory":
        yield memory.KeyStore()
        return
    # only: dynamodb_views
    if request.param == DYNAMODB:
        async with dynamodb_of(request) as database:
            yield dynamodb.KeyStore(database, _MASTER)
    # end: dynamodb_views
    # only: postgres
    if request.param == "postgres (real)":
        async with postgres.pool(request.getfixturevalue("postgres")) as pool:
            await postgres.migrate(pool)
            yield postgres.KeyStore(pool, _MASTER)
    # end: postgres


async def _forgotten(keys: KeyStore) -> list[str]:
    return sorted([one async for one in keys.forgotten()])


async def test_a_key_is_made_once(keys: KeyStore) -> None:
    """A new subject gets a key of 32 bytes, and the same one whenever it is asked for again."""
    made = await keys.key("ann")

    assert len(made) == 32
    assert await keys.key("ann") == made
    assert await keys.keys(["ann"]) == {"ann": made}


async def test_keys_are_of_one_subject_each(keys: KeyStore) -> None:
    """No two subjects share a key, however alike their names are."""
    subjects = ["ann", "Ann", "ann ", " ann", "añn", "an\u0303n", "ann/1", "ann#1", "安" * 512, "%"]
    made = {subject: await keys.key(subject) for subject in subjects}

    assert len(set(made.values())) == len(subjects)
    assert await keys.keys(subjects) == made


async def test_a_look_makes_no_key(keys: KeyStore) -> None:
    """Only the subjects that have a key are found; looking makes none."""
    assert await keys.keys([]) == {}
    made = await keys.key("ann")

    assert await keys.keys(["ann", "bob", "", "\0"]) == {"ann": made}
    assert await keys.keys(["bob"]) == {}


async def test_many_are_found_at_once(keys: KeyStore) -> None:
    """The keys of hundreds of subjects are found in one call, and a subject may be named twice."""
    subjects = [f"subject {n}" for n in range(230)]
    made = dict(
        zip(subjects, await asyncio.gather(*(keys.key(one) for one in subjects)), strict=True)
    )

    assert await keys.keys([*subjects, *subjects[:3]]) == made


async def test_of_many_makers_one_makes_it(keys: KeyStore) -> None:
    """Concurrent first uses of a subject all get the one key that is kept."""
    made = await asyncio.gather(*(keys.key("ann") for _ in range(8)))

    assert set(made) == {await keys.key("ann")}


async def test_a_destroyed_key_is_gone_for_good(keys: KeyStore) -> None:
    """A forgotten subject has no key, gets no other, and others keep theirs."""
    await keys.key("ann")
    bob = await keys.key("bob")

    assert await keys.destroy("ann")

    assert await keys.keys(["ann", "bob"]) == {"bob": bob}
    for _ in range(2):
        with pytest.raises(Forgotten, match="'ann' is forgotten") as forgotten:
            await keys.key("ann")
        assert forgotten.value.subject == "ann"
    assert await _forgotten(keys) == ["ann"]


async def test_destroying_again_changes_nothing(keys: KeyStore) -> None:
    """Only the first of all calls destroys a key, also of many at once."""
    await keys.key("ann")

    destroyed = await asyncio.gather(*(keys.destroy("ann") for _ in range(6)))

    assert sum(destroyed) == 1
    assert not await keys.destroy("ann")


async def test_an_unknown_subject_can_be_forgotten(keys: KeyStore) -> None:
    """A subject that never had a key gets none after it was forgotten."""
    assert await keys.destroy("ann")
    assert not await keys.destroy("ann")

    with pytest.raises(Forgotten):
        await keys.key("ann")
    assert await keys.keys(["ann"]) == {}


async def test_a_maker_and_a_destroyer_at_once(keys: KeyStore) -> None:
    """In whichever order they come, the key is destroyed in the end, and stays so."""
    for n in range(5):
        subject = f"subject {n}"
        got = await asyncio.gather(
            keys.key(subject), keys.destroy(subject), keys.key(subject), return_exceptions=True
        )

        assert got[1] is True
        assert all(isinstance(one, bytes | Forgotten) for one in (got[0], got[2])), got
        assert await keys.keys([subject]) == {}


async def test_the_forgotten_are_listed(keys: KeyStore) -> None:
    """All forgotten subjects are listed, each once, however many there are, and nobody else."""
    subjects = sorted(f"subject {n:03}" for n in range(130))
    await keys.key("bob")
    await asyncio.gather(*(keys.destroy(one) for one in subjects))

    listed = await _forgotten(keys)
    assert listed == subjects
    assert all(one < another for one, another in pairwise(listed))


@pytest.mark.parametrize("subject", ["", "a\0b", "a" * 513])
async def test_what_is_no_subject_is_refused(keys: KeyStore, subject: str) -> None:
    """An empty text, one with NUL, and one of more than 512 characters are not subjects."""
    with pytest.raises(ValueError, match="is not a data subject: give 1 to 512 characters"):
        await keys.key(subject)
    with pytest.raises(ValueError, match="is not a data subject"):
        await keys.destroy(subject)

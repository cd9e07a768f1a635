"""Master keys wrap the keys of data subjects: rotated while others work, and refused when wrong."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import pytest

from application.ports import Forgotten
from infrastructure import (
    dynamodb,  # only: dynamodb_views
    postgres,  # only: postgres
)
from infrastructure.dynamodb.tables import KEYS  # only: dynamodb_views
from infrastructure.keys import WrappedKeyStore, key_side, require_protection
from infrastructure.master_keys import (
    DEVELOPMENT,
    MasterKeys,
    NoMasterKey,
    Wrapped,
    new_master_key,
    read_master_key,
)
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse
from tests.dynamodb.opened import database  # only: dynamodb_views
from tests.sample.service import SAMPLE

_OLD, _NEW = bytes(range(32)), bytes(range(1, 33))
_BEFORE: Final = MasterKeys(_OLD)
_BOTH: Final = MasterKeys(_NEW, [_OLD])
_AFTER: Final = MasterKeys(_NEW)

Opened = Callable[[MasterKeys], WrappedKeyStore]


@pytest.fixture(
    params=[
        "postgres (real)",  # only: postgres
        "dynamodb (double)",  # only: dynamodb_views
    ]
)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    """The same keys under other master keys."""
    # only: dynamodb_views
    if request.param == "dynamodb (double)":
        uri = request.getfixturevalue("dynamodb")
        async with database(uri, tables=[KEYS]) as opened:
            yield lambda master: dynamodb.KeyStore(opened, master)
    # end: dynamodb_views
    # only: postgres
    if request.param == "postgres (real)":
        async with postgres.pool(request.getfixturevalue("postgres")) as pool:
            await postgres.migrate(pool)
            yield lambda master: postgres.KeyStore(pool, master, at_once=1)
    # end: postgres


async def test_a_rotation_keeps_every_key(opened: Opened) -> None:
    """Afterwards the new master key alone opens all keys, and the old one opens none."""
    made = {one: await opened(_BEFORE).key(one) for one in ("ann", "bob", "eve")}
    await opened(_BEFORE).destroy("eve")
    del made["eve"]
    made["cyd"] = await opened(_BOTH).key("cyd")
    assert {*await opened(_BOTH).masters()} == {*_BOTH.fingerprints}

    assert sum([some async for some in opened(_BOTH).rewrap()]) == 2

    assert await opened(_AFTER).keys(["ann", "bob", "cyd", "eve"]) == made
    assert [*await opened(_AFTER).masters()] == [_AFTER.newest]
    with pytest.raises(NoMasterKey, match=f"wrapped by the master key {_AFTER.newest}"):
        await opened(_BEFORE).keys(["ann"])
    with pytest.raises(Forgotten):
        await opened(_AFTER).key("eve")
    assert [some async for some in opened(_BOTH).rewrap()] == []


async def test_a_rotation_that_was_broken_off_goes_on(opened: Opened) -> None:
    """After a kill in the middle, both master keys are noted as used, all keys are there, and a
    second run does the rest."""
    made = {one: await opened(_BEFORE).key(one) for one in ("ann", "bob", "cyd")}
    steps = opened(_BOTH).rewrap()
    assert await anext(steps) == 1
    await steps.aclose()

    assert {*await opened(_BOTH).masters()} == {*_BOTH.fingerprints}
    assert await opened(_BOTH).keys([*made]) == made

    assert sum([some async for some in opened(_BOTH).rewrap()]) == 2
    assert await opened(_AFTER).keys([*made]) == made


async def test_a_rotation_without_the_former_key_loses_nothing(opened: Opened) -> None:
    """It ends with the fingerprint of the missing master key, and changes no key."""
    made = await opened(_BEFORE).key("ann")

    with pytest.raises(NoMasterKey, match=_BEFORE.newest):
        [some async for some in opened(_AFTER).rewrap()]

    assert await opened(_BEFORE).keys(["ann"]) == {"ann": made}


def test_a_wrapped_key_is_bound_to_its_subject() -> None:
    """In the place of another subject's, or changed in one bit, it does not open."""
    wrapped = _BEFORE.wrap("ann", bytes(32))
    changed = Wrapped(wrapped.master, wrapped.data[:-1] + bytes([wrapped.data[-1] ^ 1]))

    assert _BEFORE.unwrap("ann", wrapped) == bytes(32)
    for subject, one in (("bob", wrapped), ("ann", changed), ("ann", Wrapped(wrapped.master, b""))):
        with pytest.raises(NoMasterKey, match=f"the stored key of '{subject}' is damaged"):
            _BEFORE.unwrap(subject, one)


@asynccontextmanager
async def _started(store: WrappedKeyStore, **variables: str) -> AsyncIterator[None]:
    settings = parse(Settings, {**_SERVERS, **variables})

    @asynccontextmanager
    async def opens() -> AsyncIterator[WrappedKeyStore]:
        yield store

    async with key_side(SAMPLE, settings, opens) as keys:
        await require_protection(SAMPLE, settings, keys)
        yield


_KEY: Final = new_master_key()
_SERVERS: Final[Mapping[str, str]] = {
    "HEADWATER_POSTGRES_URI": "postgresql://127.0.0.1/x",  # only: postgres
}
_ELSEWHERE: Final = {
    "HEADWATER_HTTP_HOST": "0.0.0.0",
    "HEADWATER_API_TOKEN": "only-on-this-machine",
}


# only: postgres_views
@pytest.mark.parametrize(
    "variables", [_ELSEWHERE, {"HEADWATER_POSTGRES_URI": "postgresql://db.example.org/x"}]
)
async def test_it_has_to_be_set_off_the_loopback(opened: Opened, variables: dict[str, str]) -> None:
    """Where others reach the service or its database, the start ends with the setting's name."""
    with pytest.raises(InvalidSettings, match=r"^HEADWATER_MASTER_KEY: it has to be set where"):
        async with _started(opened(_BEFORE), **variables):
            pass
    async with _started(opened(MasterKeys(read_master_key(_KEY))), HEADWATER_MASTER_KEY=_KEY):
        pass


async def test_a_wrong_one_is_refused_at_the_start(opened: Opened) -> None:
    """With the fingerprints of what is set and of what is needed; the former one is enough."""
    await opened(MasterKeys(read_master_key(_KEY))).key("ann")
    other = new_master_key()

    wrong = f"wrapped by the master key {MasterKeys(read_master_key(_KEY)).newest}, and "
    for variables in ({}, {"HEADWATER_MASTER_KEY": other}):
        with pytest.raises(InvalidSettings, match=f"^HEADWATER_MASTER_KEY: .*{wrong}") as refused:
            async with _started(opened(_BEFORE), **variables):
                pass
        assert _KEY not in str(refused.value)
        assert other not in str(refused.value)
    before = {"HEADWATER_MASTER_KEY": other, "HEADWATER_MASTER_KEYS_BEFORE": _KEY}
    async with _started(opened(_BEFORE), **before):
        pass


# end: postgres_views
@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"MASTER_KEY": "secret"}, "MASTER_KEY: the value cannot be used: a master key is 32"),
        ({"MASTER_KEY": _KEY[:-4]}, "MASTER_KEY: the value cannot be used"),
        ({"MASTER_KEYS_BEFORE": _KEY}, "MASTER_KEY: HEADWATER_MASTER_KEYS_BEFORE goes with it"),
        ({"MASTER_KEY": _KEY, "MASTER_KEYS_BEFORE": "x"}, "MASTER_KEYS_BEFORE: the value cannot"),
    ],
)
def test_what_is_no_master_key_is_refused(variables: dict[str, str], says: str) -> None:
    """With what would be right, and without the value."""
    with pytest.raises(InvalidSettings, match=f"^HEADWATER_{says}"):
        parse(Settings, {f"HEADWATER_{name}": value for name, value in variables.items()})


def test_several_are_set_in_one_variable() -> None:
    """The former ones are separated by commas; without any, it is the key of development."""
    former = [new_master_key(), new_master_key()]
    settings = parse(
        Settings,
        {"HEADWATER_MASTER_KEY": _KEY, "HEADWATER_MASTER_KEYS_BEFORE": ", ".join(former)},
    )

    expected = MasterKeys(read_master_key(_KEY), [read_master_key(one) for one in former])
    assert {*settings.master_keys.fingerprints} == {*expected.fingerprints}
    assert settings.master_keys.newest == expected.newest
    assert parse(Settings, {}).master_keys.newest == MasterKeys(read_master_key(DEVELOPMENT)).newest

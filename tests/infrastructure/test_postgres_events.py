"""Events in PostgreSQL: the database itself keeps them, and keeps them whole."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import CheckViolation, RestrictViolation
from psycopg.sql import SQL, Identifier

from application.messages import NewEvent
from application.ports import NO_STREAM, Appended
from tests.contracts.made_up import all_of, event, events, name
from tests.infrastructure.postgres_log import inserted, log_at

CHANGES = {
    "update": "UPDATE events SET event_data = '{}'",
    "update of none": "UPDATE events SET version = version WHERE false",
    "delete": "DELETE FROM events",
    "truncate": "TRUNCATE events",
    "truncate cascade": "TRUNCATE events CASCADE",
    "upsert": """
        INSERT INTO events (
            stream_id, stream_type, version, event_id, event_type, schema_version, event_data,
            metadata
        )
        SELECT stream_id, stream_type, version, event_id, event_type, 1, '{}', '{}' FROM events
        ON CONFLICT (event_id) DO UPDATE SET event_data = '{"changed":true}'
        """,
    "merge": """
        MERGE INTO events USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE
        """,
    "inside a query": """
        WITH removed AS (DELETE FROM events RETURNING *) SELECT count(*) FROM removed
        """,
}


@pytest.mark.parametrize("who", ["owner", "replica", "service"])
async def test_the_database_refuses_to_change_or_remove_events(postgres: str, who: str) -> None:
    """Not the owner, nor in the role of a replica, nor a role with every right on the table."""
    async with log_at(postgres) as log:
        await log.events.append(name(), events(2), NO_STREAM)

    with psycopg.connect(postgres, autocommit=True) as connection:
        before = connection.execute("SELECT * FROM events").fetchall()
        role = Identifier(f"role_{uuid4().hex}")
        if who == "service":
            connection.execute(SQL("CREATE ROLE {}").format(role))
            _grant(connection, role)
            connection.execute(SQL("SET ROLE {}").format(role))
        if who == "replica":
            connection.execute("SET session_replication_role = replica")
        for change in CHANGES.values():
            with pytest.raises(RestrictViolation, match="neither changed nor removed"):
                connection.execute(change.encode())
        inserted(connection, name())  # all the same, it may append

        connection.execute("RESET ROLE")
        assert connection.execute("SELECT * FROM events").fetchall()[:-1] == before
        if who == "service":
            connection.execute(SQL("DROP OWNED BY {}").format(role))
            connection.execute(SQL("DROP ROLE {}").format(role))


def _grant(connection: psycopg.Connection[tuple[object, ...]], role: Identifier) -> None:
    found = connection.execute("SELECT current_schema()").fetchone()
    assert found is not None
    schema = Identifier(str(found[0]))
    connection.execute(SQL("GRANT ALL ON SCHEMA {} TO {}").format(schema, role))
    for kind in ("TABLES", "SEQUENCES"):
        connection.execute(
            SQL("GRANT ALL ON ALL {} IN SCHEMA {} TO {}").format(SQL(kind), schema, role)
        )


async def test_a_stream_has_a_category(postgres: str) -> None:
    """A stream is named <category>-<id>, and the table says the category beside it."""
    async with log_at(postgres) as log:
        await log.events.append("money_transfer-a-b", [event()], NO_STREAM)
        for stream in ("order", "-order", ""):
            with pytest.raises(ValueError, match="<category>-<id>"):
                await log.events.append(stream, [event()], NO_STREAM)

    with psycopg.connect(postgres, autocommit=True) as connection:
        found = connection.execute("SELECT stream_id, stream_type FROM events").fetchall()
        assert found == [("money_transfer-a-b", "money_transfer")]
        with pytest.raises(CheckViolation):
            inserted(connection, "order")


def with_data(data: bytes) -> list[NewEvent]:
    return [event(), event(data=data)]


def with_type(type: str) -> list[NewEvent]:
    return [event(type)]


BAD = {
    "no JSON": with_data(b"{"),
    "no text": with_data(b'"\xff"'),
    "U+0000": with_data(b'{"note":"a\\u0000b"}'),
    "NUL": with_data(b'{"note":"\0"}'),
    "half a character": with_data(b'{"note":"\\ud800"}'),
    "a number beyond all numbers": with_data(b"1e999999"),
    "a NUL in the type": with_type("No\0ted"),
    "half a character in the type": with_type("\ud800"),
    "a type too long for the index": with_type("".join(chr(300 + n * 7) for n in range(5000))),
    "deeper than the server can go": with_data(b"[" * 50_000 + b"]" * 50_000),
}


@pytest.mark.parametrize("why", BAD)
async def test_what_postgresql_cannot_keep_is_refused_alone(postgres: str, why: str) -> None:
    """Such an append is a ValueError that names its stream; those in its group stand."""
    bad, good = name("bad"), [name() for _ in range(5)]
    async with log_at(postgres) as log:
        refused, *answers = await asyncio.gather(
            log.events.append(bad, BAD[why], NO_STREAM),
            *(log.events.append(stream, events(2), NO_STREAM) for stream in good),
            return_exceptions=True,
        )

        assert isinstance(refused, ValueError)
        assert bad in str(refused) or isinstance(refused, UnicodeError)
        assert [getattr(answer, "version", answer) for answer in answers] == [1] * 5
        assert await all_of(log.events.read(bad)) == []


async def test_a_stream_that_cannot_be_named_is_refused_alone(postgres: str) -> None:
    """The same of a name that PostgreSQL cannot hold or index."""
    names = ["order-\0", "order-\ud800", "order-" + "".join(chr(300 + n * 7) for n in range(5000))]
    async with log_at(postgres) as log:
        answers = await asyncio.gather(
            *(log.events.append(stream, [event()], NO_STREAM) for stream in [*names, name()]),
            return_exceptions=True,
        )

    assert [isinstance(answer, ValueError) for answer in answers] == [True, True, True, False]


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_an_event_id_stands_once_in_the_store(postgres: str, at: int) -> None:
    """An append with an id that stands elsewhere names it, whole or not; its group stands."""
    taken, elsewhere, here = event(), name(), name()
    wanted = events(3)
    wanted[at] = taken
    async with log_at(postgres) as log:
        await log.events.append(elsewhere, [taken], NO_STREAM)

        refused, *answers = await asyncio.gather(
            log.events.append(here, wanted, NO_STREAM),
            *(log.events.append(name(), events(2), NO_STREAM) for _ in range(5)),
            return_exceptions=True,
        )

        assert isinstance(refused, ValueError)
        assert all(words in str(refused) for words in (str(taken.id), elsewhere, here))
        assert not any(str(one.id) in str(refused) for one in wanted if one != taken)
        assert all(isinstance(answer, Appended) for answer in answers)
        assert await all_of(log.events.read(here)) == []


async def test_of_two_that_bring_the_same_id_one_stands(postgres: str) -> None:
    """Also when both come at once, in one group or in two, and also within one append."""
    twice = event()
    async with log_at(postgres) as log:
        answers = await asyncio.gather(
            *(log.events.append(name(), [event(), twice], NO_STREAM) for _ in range(6)),
            return_exceptions=True,
        )
        with pytest.raises(ValueError, match="the same id"):
            await log.events.append(name(), [one := event(), one], NO_STREAM)

    assert [isinstance(answer, Appended) for answer in answers].count(True) == 1
    refusals = [answer for answer in answers if not isinstance(answer, Appended)]
    assert all(isinstance(one, ValueError) and str(twice.id) in str(one) for one in refusals)


async def test_json_comes_back_as_the_same_json(postgres: str) -> None:
    """Other scripts, escapes and long numbers survive; an id is what it was."""
    stream, id = name(), UUID(int=2**128 - 1)
    data = '{"a":"ñ€😀\\n\\"","b":12345678901234567890.123456789,"c":[null,true,{}]}'
    sent = event(data=data.encode())
    async with log_at(postgres) as log:
        await log.events.append(
            stream, [NewEvent(id, "Noted", sent.data, sent.metadata)], NO_STREAM
        )
        (recorded,) = await all_of(log.events.read(stream))

    assert recorded.id == id
    assert recorded.data.decode().replace(": ", ":").replace(", ", ",") == data
    assert recorded.metadata == sent.metadata

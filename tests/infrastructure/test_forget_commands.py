"""``headwater forget`` and ``rotate-master-key``, as an operator types them."""

import asyncio
import json
import re  # only: kafka or postgres_events
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import psycopg  # only: postgres_events
import pytest
from temporalio.client import Client  # only: temporal
from typer.testing import CliRunner

from application.messages import Context
from infrastructure.cli.main import command_line
from infrastructure.connecting import opened, opened_to_serve
from infrastructure.container import wired
from infrastructure.master_keys import new_master_key
from tests.application.snapped import NOON
from tests.kafka_topics import putting  # only: kafka
from tests.sample.program import BANK
from tests.sample.transfers import RequestTransfer
from tests.stores import (
    on_another_store,
    only_on,  # only: postgres_events
    settings_of,
)
from tests.waiting import until_true  # only: temporal

Servers = Mapping[str, str]


@pytest.fixture
def home(servers: Servers, tmp_path: Path) -> Servers:
    """Settings of an empty event store."""
    return {**servers, "HEADWATER_HOME": str(tmp_path / "home"), "COLUMNS": "200"}


def run(home: Servers, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(command_line(BANK), arguments, env=dict(home))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


def request(home: Servers) -> None:
    async def work() -> None:
        container = wired(BANK, settings_of(home))
        async with opened_to_serve(container):
            note = "for the operation"
            command = RequestTransfer(source="ann", target="bob", amount=3, note=note)
            await container.dispatch()("t-1", command, Context.start("a test", uuid4(), NOON))

    asyncio.run(work())


def make_key(home: Servers) -> None:
    async def work() -> None:
        container = wired(BANK, settings_of(home))
        async with opened(container, "read_side", "event_side"):
            await container.key_side().key("ann")

    asyncio.run(work())


@on_another_store()
def test_what_it_would_do_is_shown_first(home: Servers) -> None:
    """A dry run changes nothing; without a person to ask, it is done with --yes only."""
    request(home)

    shown = run(home, "forget", "ann", "--dry-run")
    assert "events with personal data of it: 1 (not forgotten) transfer-t-1" in shown
    assert "It cannot be undone" in shown
    assert "Nothing was changed" in shown
    refused = run(home, "forget", "ann", "--reason", "asked", code=2)
    assert "repeat it with --yes" in refused

    verified = run(home, "forget", "ann", "--verify", "--text", "for the operation", code=1)
    assert "event transfer-t-1@0" in verified
    assert "asked" not in run(home, "audit-trail")


@on_another_store()
def test_an_unknown_subject_is_forgotten_and_recorded(home: Servers) -> None:
    """It never gets a key from then on; the trail names the operator and the reason, once each."""
    request(home)
    assert "the key is destroyed; events masked: 0" in run(
        home, "forget", "eve", "--reason", "asked by letter", "--by", "ada", "--yes"
    )
    run(home, "forget", "eve", "--verify", "--text", "asked by post")

    trail = run(home, "audit-trail")
    assert "personal-data forget" in trail
    assert ("ada" in trail, "asked by letter" in trail) == (True, True)
    assert "keys destroyed again: 0; recorded again: 0." in run(
        home, "forget", "--again", "--reason", "restored"
    )


@on_another_store()
def test_a_master_key_is_rotated(home: Servers) -> None:
    """All keys are wrapped anew, which is recorded. A master key that wrapped none is refused."""
    before, newest = new_master_key(), new_master_key()
    former, alone = ({**home, "HEADWATER_MASTER_KEY": key} for key in (before, newest))
    both = {**alone, "HEADWATER_MASTER_KEYS_BEFORE": before}
    make_key(former)
    rotate = ("rotate-master-key", "--reason", "yearly")

    assert run(alone, *rotate, code=2).startswith(
        "bank: HEADWATER_MASTER_KEY: the keys of personal"
    )
    assert "--reason is empty" in run(both, *rotate[:2], " ", code=2)
    assert run(both, *rotate).startswith("1 key was wrapped anew")
    assert run(alone, *rotate).startswith("0 keys were wrapped anew")
    assert run(former, *rotate, code=2)
    assert "master-key rotate" in run(alone, "audit-trail")


@on_another_store()
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give either the SUBJECT or --again"),
        (["ann", "--again"], "give either the SUBJECT or --again"),
        (["ann", "--yes"], "--reason is missing"),
        (["--again"], "--reason is missing"),
        (["ann", "--verify", "--text", "a"], "--text 'a' is too short"),
    ],
)
def test_what_cannot_be_is_refused(home: Servers, arguments: list[str], says: str) -> None:
    """With what would be right, and nothing is done."""
    assert says in run(home, "forget", *arguments, code=2)


@on_another_store()
def test_an_export_is_one_private_file(home: Servers, tmp_path: Path) -> None:
    """It is recorded, never overwrites a file, and leaves none where there is nothing."""
    request(home)
    file = tmp_path / "ann.json"
    export = ("export", "ann", "--output", str(file), "--reason", "asked by letter")

    assert run(home, *export).endswith("ann.json: 1")
    assert json.loads(file.read_text())["events"][0]["data"]["note"] == "for the operation"
    assert file.stat().st_mode & 0o077 == 0
    assert "is there already: name a new file" in run(home, *export, code=2)
    nobody = ("export", "zoe", "--output", str(tmp_path / "zoe.json"), "--reason", "asked")
    assert "no event is about 'zoe'" in run(home, *nobody, code=1)
    assert sorted(one.name for one in tmp_path.glob("*.json")) == ["ann.json"]
    assert "personal-data export" in run(home, "audit-trail")


# only: kafka or temporal
VERIFY = ("forget", "ann", "--verify", "--text", "in März")


# end: kafka or temporal
# only: kafka
@on_another_store()
def test_a_record_in_the_clear_is_found(home: Servers, kafka: str) -> None:
    """By its topic, partition and offset. What others have read there is out of reach, and told."""
    at = {**home, **on_kafka(kafka)}
    topic = f"{at['HEADWATER_KAFKA_PREFIX']}bank.account"
    run(at, "bus", "topics", "--create")
    assert "searched: Kafka: 0 records cannot be searched: what others have" in run(at, *VERIFY)

    asyncio.run(put_record(kafka, topic, json.dumps({"note": "in März"})))

    found = run(at, *VERIFY, code=1)
    assert re.search(rf"Kafka: record {topic}/\d@0 holds 'in März' searched: Kafka: 1 rec", found)
    assert "readable traces: 1 (texts searched for: 1)" in found


def on_kafka(address: str) -> Servers:
    return {
        "HEADWATER_BUS": "kafka",
        "HEADWATER_KAFKA_BOOTSTRAP_SERVERS": address,
        "HEADWATER_KAFKA_PREFIX": f"{uuid4()}.",
    }


async def put_record(address: str, topic: str, value: str) -> None:
    async with putting(address) as put:
        await put(topic, None, value.encode(), ())


# end: kafka
# only: temporal
@on_another_store()
def test_a_history_in_the_clear_is_found(home: Servers, temporal: str) -> None:
    """By its workflow and event; so is what a workflow is found by. Until when the service can read
    what is encrypted there, is told."""
    at = {**home, **on_temporal(temporal)}
    assert "searched: Temporal: 0 entries of histories cannot be" in run(at, *VERIFY)

    asyncio.run(begin_workflow(temporal, at["HEADWATER_TEMPORAL_TASK_QUEUE"], "in März"))

    found = run(at, *VERIFY, code=1)
    assert "Temporal: event 1 of workflow noted-" in found
    assert "Temporal: workflow noted-" in found
    assert "days after a workflow has ended" in found


def on_temporal(address: str) -> Servers:
    return {
        "HEADWATER_SAGA_ENGINE": "temporal",
        "HEADWATER_TEMPORAL_ADDRESS": address,
        "HEADWATER_TEMPORAL_TASK_QUEUE": f"it's {uuid4()}",
    }


async def begin_workflow(address: str, queue: str, text: str) -> None:
    """Return once it is listed."""
    client, id = await Client.connect(address), f"noted-{uuid4()}"
    await client.start_workflow("noted", text, id=id, task_queue=queue, memo={"note": text})

    async def listed() -> bool:
        return [one async for one in client.list_workflows(f"WorkflowId = '{id}'")] != []

    await until_true(listed)


# end: temporal
# only: kafka and temporal
@on_another_store()
def test_a_server_that_is_away_leaves_no_claim(home: Servers) -> None:
    """The others are searched; which one was not, and why, is told, and the exit code is no
    success."""
    at = {**home, **on_kafka("127.0.0.1:1"), **on_temporal("127.0.0.1:1")}

    found = run(at, *VERIFY, code=1)

    assert "searched: read models: 0 views" in found
    assert "not searched: Kafka: " in found
    assert "not searched: Temporal: Temporal does not answer at 127.0.0.1:1" in found
    assert "readable traces: 0" in found
    assert "places that could not be searched: 2" in found


# end: kafka and temporal
# only: postgres_events
@only_on("postgres")  # the runbook is about its tables
def test_the_runbook_lost_master_key(home: Servers) -> None:
    """By the statements of the page, the people whose keys are lost are forgotten; others stay."""
    lost = {**home, "HEADWATER_MASTER_KEY": new_master_key()}
    now = {**home, "HEADWATER_MASTER_KEY": new_master_key()}
    make_key(lost)
    again = ("forget", "--again", "--reason", "the master key is lost")

    refused = run(now, *again, code=2)
    (fingerprint,) = re.findall("wrapped by the master key ([0-9a-f]+),", refused)
    page = Path("docs/operations/runbooks.md").read_text().partition("## Lost master key")[2]
    (sql,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)[:1]
    with psycopg.connect(home["HEADWATER_POSTGRES_URI"]) as connection:
        connection.execute(sql.replace("FINGERPRINT", fingerprint))

    assert "recorded again: 1." in run(now, *again)
    run(now, "forget", "ann", "--verify")


# end: postgres_events

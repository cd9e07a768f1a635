"""``headwater payloads verify`` and ``sweep``, on a log of its own and on each payload store."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from application.ports import NO_STREAM
from embedded_eventstoredb import NodeProcess
from infrastructure.cli.main import command_line
from infrastructure.cli.payload_commands import Spans, sweep
from infrastructure.program import Deployment
from tests.application.swept import HOUR, large
from tests.sample.program import BANK
from tests.servers import S3  # only: s3
from tests.stores import opened, settings_of


class Drill:
    """Servers with one event that refers to a payload, one payload that no event refers to, and
    the operator's commands."""

    def __init__(self, servers: Mapping[str, str]) -> None:
        self.servers = servers
        self.log, self.needed, self.orphan = asyncio.run(self._fill())

    def payloads(self, *arguments: str, code: int = 0) -> str:
        environment = {**self.servers, "COLUMNS": "300"}
        result = CliRunner().invoke(command_line(BANK), ["payloads", *arguments], env=environment)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.stdout if "--json" in arguments else result.output

    def swept(self, later: timedelta) -> None:
        """As the command, when so much time has passed."""
        deployment = Deployment(BANK, settings_of(self.servers))
        spans, now = Spans(HOUR, HOUR), datetime.now(UTC) + later
        asyncio.run(
            sweep(deployment, spans, confirmed=None, dry_run=False, json=False, clock=lambda: now)
        )

    async def _fill(self) -> tuple[str, str, str]:
        async with opened(self.servers) as container:
            await container.event_store().append("transfer-1", [large("needed")], NO_STREAM)
            log = await container.subscriptions().store_id()
            assert log is not None
            await container.payload_store().note_log(log)
            needed = await container.payload_store().put(large("needed").data)
            return log, needed, await container.payload_store().put(b"orphan")


@pytest.fixture(
    params=[
        "directory",
        "s3 (real)",  # only: s3
    ]
)
def servers(
    request: pytest.FixtureRequest,  # only: s3
    fresh_node: NodeProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,  # only: s3
) -> Mapping[str, str]:
    """Settings that lead to them."""
    node = {"HEADWATER_EVENTSTOREDB_URI": fresh_node.uri, "HEADWATER_HOME": str(tmp_path / "home")}
    payloads = {"HEADWATER_PAYLOADS_DIR": str(tmp_path / "payloads")}
    if request.param == "s3 (real)":  # only: s3
        payloads = _in_a_bucket(request.getfixturevalue("s3"), monkeypatch)  # only: s3
    return {**node, **payloads}


# only: s3
def _in_a_bucket(server: S3, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret)
    bucket = {"HEADWATER_S3_BUCKET": server.bucket(), "HEADWATER_S3_ENDPOINT": server.endpoint}
    return {**bucket, "HEADWATER_PAYLOAD_STORE": "s3"}


# end: s3
def test_what_is_not_needed_goes_and_what_is_needed_stays(
    servers: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A sweep sets the orphan aside, a later one removes it, and every event has its payload."""
    drill = Drill(servers)
    assert drill.payloads("verify").endswith("payload is missing or damaged: 0\n")
    assert "set aside: 0;" in drill.payloads("sweep", "--older-than", "1h"), "it is too young"

    drill.swept(later=HOUR)
    assert f"{drill.orphan}  6 bytes" in capsys.readouterr().out
    assert json.loads(drill.payloads("sweep", "--json"))["waiting"][0]["digest"] == drill.orphan
    drill.swept(later=2 * HOUR)

    assert "removed: 1 (6 bytes);" in capsys.readouterr().out
    assert "within the grace: 0" in drill.payloads("sweep", "--dry-run")
    assert "damaged: 0" in drill.payloads("verify")


@pytest.mark.parametrize("servers", ["directory"], indirect=True)
def test_a_payload_that_is_gone_is_named(servers: Mapping[str, str]) -> None:
    """With the event that needs it; the exit code says that there is one."""
    drill = Drill(servers)
    (Path(servers["HEADWATER_PAYLOADS_DIR"]) / drill.needed).unlink()

    said = drill.payloads("verify", code=1)

    assert said.startswith(f"transfer-1@0: no payload {drill.needed} in ")
    document: dict[str, Any] = json.loads(drill.payloads("verify", "--json", code=1))
    assert document["faults"][0]["stream"] == "transfer-1"


@pytest.mark.parametrize("servers", ["directory"], indirect=True)
def test_a_missing_payload_is_brought_back(servers: Mapping[str, str], tmp_path: Path) -> None:
    """The runbook *missing payload*: by a copy under its name, or by naming where it is."""
    drill = Drill(servers)
    payload, backup = tmp_path / "payloads" / drill.needed, tmp_path / "backup" / drill.needed
    backup.parent.mkdir()
    payload.rename(backup)
    drill.payloads("verify", code=1)

    drill.servers = {**servers, "HEADWATER_PAYLOADS_ALSO_IN": str(backup.parent)}
    assert "damaged: 0" in drill.payloads("verify")
    drill.servers = servers
    payload.write_bytes(b"something else")
    assert "is damaged" in drill.payloads("verify", code=1)
    payload.write_bytes(backup.read_bytes())
    assert "damaged: 0" in drill.payloads("verify")


@pytest.mark.parametrize("servers", ["directory"], indirect=True)
def test_a_sweep_by_the_wrong_log_is_refused(servers: Mapping[str, str], tmp_path: Path) -> None:
    """The refusal names both logs, and how to go on if it is the right one after all."""
    drill = Drill(servers)
    (tmp_path / "payloads" / "logs" / drill.log).rename(tmp_path / "payloads" / "logs" / "another")

    said = drill.payloads("sweep", code=1)

    assert f"belong to another, and this is {drill.log}" in said
    assert f"--log {drill.log}" in said
    assert "is set aside" not in drill.payloads("sweep", "--log", drill.log)
    assert f"not {'0' * 36}" in drill.payloads("sweep", "--log", "0" * 36, code=1)


# only: s3
@pytest.mark.parametrize("servers", ["s3 (real)"], indirect=True)
def test_a_bucket_that_is_away_is_named(servers: Mapping[str, str]) -> None:
    """No payload is taken for missing; the message names the setting."""
    drill = Drill(servers)
    drill.servers = {**servers, "HEADWATER_S3_ENDPOINT": "http://127.0.0.1:9"}

    for command in (["verify"], ["sweep"], ["sweep", "--dry-run"]):
        said = drill.payloads(*command, code=1)
        assert "HEADWATER_S3_ENDPOINT: no answer from http://127.0.0.1:9" in said


# end: s3
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--older-than", "7"], "'7' is not a span of time: write it like 7d, 12h or 90m"),
        (["--older-than", "-7d"], "'-7d' is not a span of time"),
        (["--older-than", "59m"], "59m is too short"),
        (["--grace", "0d"], "0d is too short"),
        (["--grace", "1e9d"], "'1e9d' is not a span of time"),
    ],
)
def test_a_span_that_cannot_be_is_refused(arguments: list[str], said: str) -> None:
    """Before anything is opened, with what would be right."""
    result = CliRunner().invoke(command_line(BANK), ["payloads", "sweep", *arguments])

    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", "").split())

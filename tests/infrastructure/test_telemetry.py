"""What gets into a log: what happened and where, never a secret, and never without bound."""

import asyncio
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from infrastructure import telemetry
from infrastructure.http.app import create_app
from infrastructure.log_writing import Aside
from tests.sample.client import empty_bank

TOKEN = "a-token-that-nobody-may-see"
log = structlog.stdlib.get_logger("headwater.test")


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Leave the process as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def records(file: Path) -> list[dict[str, Any]]:
    """All that was written, once it is on disk."""
    for handler in logging.getLogger().handlers:
        handler.close()
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_a_route_that_fails_tells_its_log_where_and_never_with_what(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The traceback names the place; the caller's token is neither in the file nor on stderr."""
    file = tmp_path / "log" / "headwater.log"
    telemetry.log_to_file(file, "INFO")
    app = create_app(empty_bank(api_token=TOKEN))

    @app.get("/broken")
    async def broken() -> None:
        secret = {"authorization": f"Bearer {TOKEN}"}
        raise RuntimeError(f"no {len(secret)}")

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get("/broken", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 500
    told = records(file)
    (failed,) = [record for record in told if record["event"] == "unexpected error"]
    frames = failed["exception"][0]["frames"]
    assert frames[-1]["name"] == "broken"
    assert len(json.dumps(failed)) <= telemetry.LARGEST_RECORD
    assert TOKEN not in file.read_text() + capfd.readouterr().err


async def test_what_the_loop_and_other_libraries_log_has_no_locals_either(tmp_path: Path) -> None:
    """The standard library's loggers go through the same door."""
    file = tmp_path / "headwater.log"
    telemetry.log_to_file(file, "INFO")

    async def broken() -> None:
        secret = TOKEN
        raise RuntimeError(f"no {len(secret)}")

    task = asyncio.create_task(broken())
    await asyncio.wait([task])
    asyncio.get_running_loop().call_exception_handler(
        {"message": "never retrieved", "exception": task.exception()}
    )
    try:
        await broken()
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("in an application")

    assert [record["exception"][0]["exc_type"] for record in records(file)] == ["RuntimeError"] * 2
    assert TOKEN not in file.read_text()


def test_a_record_has_a_bound(tmp_path: Path) -> None:
    """However much is to be told: the beginning of a text, and in the end what matters most."""
    file = tmp_path / "headwater.log"
    telemetry.log_to_file(file, "INFO")
    log.info("long", text="x" * 100_000, many=list(range(100_000)))
    log.info("large", **{f"field-{number}": "x" * 900 for number in range(1000)})
    try:
        raise ValueError("y" * 100_000)
    except ValueError:
        log.exception("failed")

    long, large, failed = records(file)
    assert long["text"].endswith("… (100,000 characters)")
    assert "left_out" in large
    assert failed["exception"][0]["exc_value"].startswith("yyy")
    assert max(map(len, file.read_text().splitlines())) <= telemetry.LARGEST_RECORD


def test_records_can_be_captured() -> None:
    """By structlog's own means, also once the log is set up."""
    telemetry.log_to_stderr("INFO")
    with capture_logs() as captured:
        log.info("seen", one=1)
    assert captured == [{"event": "seen", "one": 1, "log_level": "info"}]


def test_a_pipe_that_nobody_reads_holds_up_no_caller() -> None:
    """Lines wait in memory, not in the caller, and the end does not wait for them for ever."""
    unread, end = os.pipe()
    with suppress(BrokenPipeError), open(end, "w") as stream:
        handler = Aside(logging.StreamHandler(stream))
        began = time.monotonic()
        for _ in range(1000):  # a pipe holds 64 KB
            handler.handle(logging.makeLogRecord({"msg": "z" * 1000}))
        assert time.monotonic() - began < 2
        os.close(unread)  # what waits cannot be written any more
        handler.close()


def test_a_log_on_a_terminal_shows_what_would_act_on_it() -> None:
    """A path that a client has sent moves no cursor, in the message, a value, or a reason."""
    terminal = StringIO()
    output = telemetry._Output(logging.StreamHandler(terminal), "INFO", *telemetry._PRETTY)
    reason = (ValueError, ValueError("\x1b[2J"), None)
    output.handle(logging.makeLogRecord({"levelno": logging.INFO, "msg": "got \x1b[2J"}))
    output.handle(logging.makeLogRecord({"levelname": "INFO", "msg": "no", "exc_info": reason}))
    output.take({"event": "request", "level": "info", "path": "/\x1b[2J"})
    output.close()
    lines = terminal.getvalue().splitlines()
    assert len(lines) == 3
    for line in lines:
        assert r"\x1b[2J" in line
        assert "\x1b[2J" not in line

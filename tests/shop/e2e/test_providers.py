"""``headwater providers``: the simulated payment provider and carrier as a person starts them."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.shop.e2e.cli import COMMAND, PATIENCE, cli, refusal


@contextmanager
def started(*options: str) -> Iterator[dict[str, str]]:
    """The settings that it prints. It ends on Ctrl-C, well."""
    process = subprocess.Popen(
        [*COMMAND, "providers", "--port", "0", *options], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None  # it was started with a pipe
        printed = [process.stdout.readline() for _ in range(4)]
        try:
            yield dict(line.strip().split("=") for line in printed if "=" in line)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def test_they_print_the_settings_that_lead_to_them(tmp_path: Path) -> None:
    """What is printed can be used as it stands, and the records are there again the next time."""
    directory = ("--data-dir", str(tmp_path))
    body = {"order_id": "o-1", "country": None, "parcels": 1}
    with started(*directory) as settings:
        assert re.fullmatch(
            r"http://127\.0\.0\.1:\d+/payments", settings["HEADWATER_PAYMENT_PROVIDER_URI"]
        )
        booked = httpx.post(
            f"{settings['HEADWATER_CARRIER_URI']}/book",
            json=body,
            headers={"Idempotency-Key": "k"},
            trust_env=False,
            timeout=PATIENCE,
        )
        assert booked.json()["answer"] == "booked"

    with started(*directory) as settings:
        (booking,) = httpx.get(
            settings["HEADWATER_CARRIER_URI"], trust_env=False, timeout=PATIENCE
        ).json()
    assert (booking["key"], booking["order_id"]) == ("k", "o-1")
    with started("--memory") as settings:
        assert (
            httpx.get(settings["HEADWATER_CARRIER_URI"], trust_env=False, timeout=PATIENCE).json()
            == []
        )


def test_what_is_in_their_way_is_named(tmp_path: Path) -> None:
    """A taken port and a directory that is none are told in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = cli(tmp_path, "providers", "--memory", "--port", port)
    assert "--port" in refusal(ended, 1)

    (tmp_path / "file").touch()
    ended = cli(tmp_path, "providers", "--port", "0", "--data-dir", str(tmp_path / "file"))
    assert "--data-dir" in refusal(ended, 1)

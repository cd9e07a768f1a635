"""Roles as processes: those of ``run``, and ``serve --role`` with several of each."""

import json
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil

from tests.e2e.bank import BANK
from tests.e2e.command_line import PATIENCE, Service, refusal, until
from tests.e2e.test_run import requested
from tests.stores import USUAL, on_every_store

ROLES = ("api", "projections", "sagas")


def carried_out(service: Service) -> bool:
    """Whether a new transfer is."""
    service.post("/accounts/a-1/deposits", {"amount": 5})
    transfer = requested(service)
    until(lambda: service.get(f"{transfer}/progress").get("status") == "completed", service)
    return True


def test_each_role_is_a_process_that_is_kept_running(tmp_path: Path) -> None:
    """One that is killed answers again at its address, and transfers are carried out again. All
    write to one log, in which each line has its role."""
    with BANK.running(tmp_path / "home", HEADWATER_EVENT_STORE=USUAL[-1]) as service:
        service.wait_for_welcome()
        for role in ROLES:
            process = service.child(f"part {role}")
            assert process is not None, role
            behind = process.nice() - psutil.Process().nice()  # when the processor is scarce
            assert (behind == 0) is (role == "api"), role
            process.kill()
            process.wait(PATIENCE)
            ready = f"{service.url_of(role)}/health/ready"
            until(lambda ready=ready: _is_ready(ready), service)  # type: ignore[misc]
            assert service.child(f"part {role}") not in (None, process)
        assert carried_out(service)
        (log,) = (service.home / "log").iterdir()
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert {line["role"] for line in lines} == {"run", *ROLES}
        assert service.end(signal.SIGTERM) == 0


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=PATIENCE, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def test_no_process_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the one that watches ends all others, and a second run works at once, also on
    the same port."""
    home = tmp_path / "home"
    with BANK.running(home, HEADWATER_EVENT_STORE=USUAL[-1]) as service:
        service.wait_for_welcome()
        port = service.url.rpartition(":")[2]
        family = service.process.children(recursive=True)
        service.process.kill()
        assert psutil.wait_procs(family, timeout=PATIENCE)[1] == []
    with BANK.running(home, HEADWATER_HTTP_PORT=port) as service:
        service.wait_for_welcome()
        assert carried_out(service)
        assert service.end(signal.SIGINT) == 0
        assert "Traceback" not in service.said


# only: postgres_events
def test_a_role_that_cannot_start_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    """The last line has the reason, the exit code is 1, and nothing is left."""
    uri = "postgresql://127.0.0.1:1"
    ended = BANK.run(
        tmp_path / "home", "run", HEADWATER_EVENT_STORE=USUAL[-1], HEADWATER_POSTGRES_URI=uri
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("bank: PostgreSQL: couldn't get a connection")


# end: postgres_events
def test_several_processes_of_one_role(tmp_path: Path) -> None:
    """``--processes`` starts them. Those of the API share its port, and each has one of its own."""
    with BANK.running(
        tmp_path / "home", "--processes=api=2", HEADWATER_EVENT_STORE=USUAL[-1]
    ) as service:
        service.wait_for_welcome()
        announced = json.loads((service.home / "running.json").read_text())["processes"]
        urls = [one["url"] for one in announced if one["role"] == "api"]
        assert len({service.url, *urls}) == 3
        assert all(_is_ready(f"{url}/health/ready") for url in (service.url, *urls))
        assert service.end(signal.SIGTERM) == 0
    wrong = BANK.run(tmp_path / "home", "run", "--processes", "workers=2")
    assert "projections=2" in refusal(wrong, 2)


@on_every_store()  # each notices in another way that a process has died
def test_two_of_each_role_share_the_work_and_take_it_over(
    servers: Mapping[str, str], tmp_path: Path
) -> None:
    """Whichever process of a role is killed, the other one goes on with its work."""
    with ExitStack() as stack:
        pairs = {role: [tmp_path / f"{role}-{number}" for number in (1, 2)] for role in ROLES}
        processes = {
            home: stack.enter_context(BANK.serving(home, f"--role={role}", **servers))
            for role, homes in pairs.items()
            for home in homes
        }
        urls = {home: served_at(home, process) for home, process in processes.items()}
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=PATIENCE))
        left = urls[pairs["api"][1]]
        assert carried_out_over(client, left)
        for homes in pairs.values():
            processes[homes[0]].kill()
        assert carried_out_over(client, left)
        for homes in pairs.values():
            until_ready(client, urls[homes[1]])


def served_at(home: Path, process: psutil.Popen) -> str:
    """Where a ``serve`` logs that it serves."""
    output = home.with_suffix(".txt")

    def lines() -> list[dict[str, str]]:
        found = [line for line in output.read_text().splitlines() if '"serving"' in line]
        return [json.loads(line) for line in found]

    wait_until(lambda: bool(lines()) or process.poll() is not None)
    assert process.poll() is None, output.read_text()
    return lines()[0]["url"]


def carried_out_over(client: httpx.Client, url: str) -> bool:
    """Whether a new transfer is, as this process of the API sees it."""

    def post(path: str, body: object) -> httpx.Response:
        wait_until(lambda: _is_ready(f"{url}/health/live"))
        answer = client.post(f"{url}{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer

    post("/accounts/a-1/deposits", {"amount": 5})
    transfer = post("/transfers", {"source": "a-1", "target": "a-2", "amount": 3})
    progress = f"{url}{transfer.headers['Location']}/progress"
    wait_until(lambda: client.get(progress).json().get("status") == "completed")
    return True


def until_ready(client: httpx.Client, url: str) -> None:
    """Return once it is."""
    wait_until(lambda: client.get(f"{url}/health/ready").is_success)


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as it holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came true"
        time.sleep(0.01)

"""Simulated providers as a process: they forget nothing, misbehave only as set, and end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from application.ports import OutcomeUnknown, ProviderUnavailable
from domain.values import Money
from infrastructure.providers import HttpConnection
from infrastructure.providers.simulated import Fault, Faults, Subject
from infrastructure.providers.simulated.app import create_app
from infrastructure.providers.simulated.journal import Journal
from infrastructure.providers.simulated.process import SimulatedProviders, SimulationFailed
from infrastructure.providers.simulated.simulation import Simulation
from tests.faults import set_faults
from tests.sample.gift_cards import GIFT_CARDS, SIMULATED, GiftCards
from tests.waiting import until

FIVE = Money.parse("5.00 GBP")
DECLARED = "tests.sample.gift_cards:SIMULATED"


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatedProviders]:
    with SimulatedProviders(DECLARED) as simulated:
        yield simulated


@asynccontextmanager
async def issuer(simulated: SimulatedProviders) -> AsyncIterator[GiftCards]:
    """The port over HTTP."""
    uri = simulated.uri_of(GIFT_CARDS.name)
    async with HttpConnection(GIFT_CARDS, uri, patience=30) as connection:
        yield GiftCards(connection)


async def test_what_was_answered_survives_kill(tmp_path: Path) -> None:
    """After SIGKILL under load nothing is lost, and repeating what had no answer acts once."""
    file, keys = tmp_path / "journal", [f"k-{number}" for number in range(100)]
    answers: dict[str, object] = {}

    async def redeem(provider: GiftCards, key: str) -> None:
        answers[key] = await provider.redeem(key, "a card", FIVE)

    simulated = await asyncio.to_thread(SimulatedProviders(DECLARED, file).start)
    async with issuer(simulated) as provider:
        calls = asyncio.gather(*(redeem(provider, key) for key in keys), return_exceptions=True)
        await until(lambda: len(answers) > 20, within=60)
        simulated.kill()
        ended = await calls
    assert {type(each) for each in ended} <= {type(None), ProviderUnavailable, OutcomeUnknown}
    before = dict(answers)

    async with SimulatedProviders(DECLARED, file) as again, issuer(again) as provider:
        for key, answer in before.items():
            assert await provider.find(key) == answer
        for key in keys:
            await provider.redeem(key, "a card", FIVE)
        records = await provider.connection.records()
    assert sorted(record.key for record in records) == sorted(keys)


async def test_faults_survive_kill(tmp_path: Path) -> None:
    """A fault that was set is in force after a restart; one that was used up stays used up."""
    used, kept = Fault(kind="unavailable", times=1), Fault(kind="decline", rate=0.5, times=7)
    simulated = await asyncio.to_thread(SimulatedProviders(DECLARED, tmp_path / "journal").start)
    await set_faults(simulated, [used, kept], seed=3)
    async with issuer(simulated) as provider:
        with pytest.raises(ProviderUnavailable):
            await provider.restore("k", "a")
    simulated.kill()

    async with SimulatedProviders(DECLARED, tmp_path / "journal") as again:
        uri = f"{again.uri}/faults"
        plan = await asyncio.to_thread(httpx.get, uri, trust_env=False, timeout=30)

    assert plan.json()["seed"] == 3
    assert [fault["kind"] for fault in plan.json()["faults"]] == ["decline"]


def test_they_end_with_their_parent() -> None:
    """However that one died."""
    script = (
        "from infrastructure.providers.simulated.process import SimulatedProviders\n"
        f"simulated = SimulatedProviders({DECLARED!r}).start()\n"
        "print(simulated.pid, flush=True)\n"
        "input()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with parent:
        assert parent.stdout is not None  # it was started with a pipe
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()

    _, alive = psutil.wait_procs([child], timeout=30)
    assert alive == []


def test_a_file_belongs_to_one_process(tmp_path: Path) -> None:
    """A second one does not start, and says why."""
    file, reason = tmp_path / "journal", r"cannot keep the journal in .*journal.* locked"
    with SimulatedProviders(DECLARED, file), pytest.raises(SimulationFailed, match=reason):
        SimulatedProviders(DECLARED, file).start()


def test_a_file_of_others_is_left_alone(tmp_path: Path) -> None:
    """A file that is not a journal is named, and not touched."""
    (tmp_path / "journal").write_text("my diary, volume 1\n" * 100)

    with pytest.raises(SimulationFailed, match="cannot keep the journal"):
        SimulatedProviders(DECLARED, tmp_path / "journal").start()

    assert (tmp_path / "journal").read_text().startswith("my diary")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The error says that the port is in use."""
    with SimulatedProviders(DECLARED) as first:
        port = int(first.uri.rpartition(":")[2])
        with pytest.raises(SimulationFailed, match="in use"):
            SimulatedProviders(DECLARED, tmp_path / "journal", port).start()


def test_only_this_machine_can_reach_them() -> None:
    """They do not authenticate, so they listen on loopback."""
    with SimulatedProviders(DECLARED) as simulated:
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(simulated.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
    assert listening == ["127.0.0.1"]


def test_a_stop_is_clean_with_calls_under_way() -> None:
    """SIGTERM ends them with exit code 0, also while a caller waits for an answer."""
    with SimulatedProviders(DECLARED) as simulated:
        asyncio.run(set_faults(simulated, [Fault(kind="slow", seconds=600)]))
        with httpx.Client(trust_env=False) as client, pytest.raises(httpx.HTTPError):
            client.get(f"{simulated.uri_of(GIFT_CARDS.name)}/calls?key=k", timeout=0.5)
        process = psutil.Process(simulated.pid)
        os.kill(simulated.pid, signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        '{"faults": [{"kind": "explode"}]}',
        '{"faults": [{"kind": "slow", "rate": 0}]}',
        '{"faults": [{"kind": "slow", "seconds": -1}]}',
        '{"faults": [{"kind": "slow", "second": 1}]}',
        '{"faults": [{"kind": "slow", "above": 2.5}]}',
        '{"faults": [{"kind": "slow", "crad": "c"}]}',
        '{"faults": [{"kind": "slow", "card": 1}]}',
        '{"faults": [{"kind": "slow", "call": "reedem"}]}',
        '{"faults": [{"kind": "slow", "provider": "bank"}]}',
    ],
)
def test_faults_that_are_not_understood_change_nothing(
    simulated: SimulatedProviders, body: str
) -> None:
    """A misspelt fault must not pass for health."""
    asyncio.run(set_faults(simulated, [Fault(kind="decline")]))
    with httpx.Client(trust_env=False, base_url=simulated.uri, timeout=30) as client:
        refused = client.put("/faults", content=body)
        plan = client.get("/faults").json()

    assert refused.status_code == 422
    assert refused.json()["refused"]
    assert [fault["kind"] for fault in plan["faults"]] == ["decline"]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("", '{"card": "c", "amount": "10 GBP"}'),
        ("k", ""),
        ("k", '{"card": "c"}'),
        ("k", '{"card": "c", "amount": 10}'),
        ("k", '{"card": "c", "amount": "10 GBP", "tip": "1 GBP"}'),
    ],
)
def test_a_call_that_is_not_understood_is_refused(
    simulated: SimulatedProviders, key: str, body: str
) -> None:
    """Without a key, without all it needs, or with money as a number."""
    uri, headers = f"{simulated.uri_of(GIFT_CARDS.name)}/redeem", {"Idempotency-Key": key}

    refused = httpx.post(uri, headers=headers, content=body, trust_env=False, timeout=30)

    assert refused.status_code == 422
    assert refused.json()["refused"]


def test_a_body_has_a_bound(simulated: SimulatedProviders) -> None:
    """A megabyte is more than any call needs."""
    uri = f"{simulated.uri}/faults"
    refused = httpx.put(uri, content=b" " * 2_000_000, trust_env=False, timeout=30)

    assert "1,048,576 bytes" in refused.json()["refused"]


@pytest.mark.parametrize("query", ["", "key=k&keys=k", "kee=k"])
def test_a_question_that_is_not_understood_is_refused(
    simulated: SimulatedProviders, query: str
) -> None:
    """It asks for one key and nothing else."""
    uri = f"{simulated.uri_of(GIFT_CARDS.name)}/calls?{query}"

    assert "?key=" in httpx.get(uri, trust_env=False, timeout=30).json()["refused"]


@pytest.mark.parametrize("path", ["/faults", "/gift-cards", "/gift-cards/calls?key=k"])
def test_a_page_in_a_browser_cannot_ask_them(simulated: SimulatedProviders, path: str) -> None:
    """A name that is not the loopback's is refused: only this machine may set faults."""
    before = httpx.get(f"{simulated.uri}/faults", trust_env=False, timeout=30).json()
    for method in ("GET", "PUT", "POST"):
        answer = httpx.request(
            method,
            f"{simulated.uri}{path}",
            headers={"Host": "evil.example"},
            content='{"faults": [{"kind": "drop"}]}',
            trust_env=False,
            timeout=30,
        )
        assert answer.status_code == 400
    assert httpx.get(f"{simulated.uri}/faults", trust_env=False, timeout=30).json() == before


async def test_they_answer_under_the_name_that_they_are_given() -> None:
    """In a network of containers they have a name; other names are refused there, too."""
    app = create_app(Simulation(SIMULATED, Journal(None)), lambda _: None, names=["providers"])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.1") as client:
        for name, status in (("providers:8010", 200), ("evil.example", 400)):
            answer = await client.get("/faults", headers={"Host": name})
            assert answer.status_code == status


def test_chance_is_the_same_each_time() -> None:
    """The same calls are struck in any order, another seed strikes others, at about the rate."""
    keys = [f"k-{number}" for number in range(1000)]

    def struck(order: list[str], seed: int) -> set[str]:
        faults = Faults([Fault(kind="drop", rate=0.25)], seed=seed)
        return {key for key in order if faults.strike("p", "redeem", key, Subject()).drop}

    assert struck(keys, seed=1) == struck(keys[::-1], seed=1)
    assert struck(keys, seed=1) != struck(keys, seed=2)
    assert 200 < len(struck(keys, seed=1)) < 300


def test_a_fault_of_one_provider_leaves_others_alone() -> None:
    """Calls of one name, under one key, are struck where the fault says."""
    faults = Faults([Fault(kind="drop", provider="one", call="find")])

    assert not faults.strike("another", "find", "k", Subject()).drop
    assert faults.strike("one", "find", "k", Subject()).drop


def test_a_repeated_call_has_another_chance() -> None:
    """A call that is struck once is not struck for ever."""
    faults = Faults([Fault(kind="drop", rate=0.5)])

    struck = {faults.strike("p", "redeem", "k", Subject()).drop for _ in range(50)}

    assert struck == {True, False}

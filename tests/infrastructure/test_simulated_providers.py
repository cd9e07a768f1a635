"""The simulated providers as a process: they forget nothing, misbehave only as told, and end."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest

from application.ports import Declined, OutcomeUnknown, ProviderRefused, ProviderUnavailable
from application.shop.ports import Authorised, Booked, PaymentProvider
from domain.values import Money
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.providers.simulated.process import SimulationFailed
from infrastructure.providers.simulated.rules import Subject
from infrastructure.shop import providers as shop_providers
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests.faults import set_faults
from tests.shop.outside import over_http
from tests.waiting import until

TEN = Money.parse("10.00 GBP")


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatedProviders]:
    with SimulatedProviders() as simulated:
        yield simulated


async def test_what_was_answered_survives_kill(tmp_path: Path) -> None:
    """After SIGKILL under load nothing is lost, and repeating what had no answer acts once."""
    file, keys = tmp_path / "books.sqlite3", [f"k-{number}" for number in range(300)]
    answers: dict[str, object] = {}

    async def authorise(provider: PaymentProvider, key: str) -> None:
        answers[key] = await provider.authorise(key, "o-1", TEN)

    simulated = await asyncio.to_thread(SimulatedProviders(file).start)
    uris = simulated.payment_provider_uri, simulated.carrier_uri
    async with shop_providers.outside(*uris, patience=30) as shop:
        calls = [authorise(shop.payment_provider, key) for key in keys]
        asking = asyncio.gather(*calls, return_exceptions=True)
        await until(lambda: len(answers) > 20, within=60)
        simulated.kill()
        told = await asking
    assert {type(each) for each in told} <= {type(None), ProviderUnavailable, OutcomeUnknown}
    before = dict(answers)

    async with SimulatedProviders(file) as again, over_http(again) as outside:
        for key, answer in before.items():
            assert await outside.payment_provider.find(key) == answer
        for key in keys:
            await outside.payment_provider.authorise(key, "o-1", TEN)
        books = await outside.audit.payments()
    assert sorted(payment.key for payment in books) == sorted(keys)


async def test_faults_survive_kill(tmp_path: Path) -> None:
    """What was told is in force after a restart; what was used up stays used up."""
    used, kept = Fault(kind="unavailable", times=1), Fault(kind="decline", rate=0.5, times=7)
    simulated = await asyncio.to_thread(SimulatedProviders(tmp_path / "books").start)
    await set_faults(simulated, [used, kept], seed=3)
    uris = simulated.payment_provider_uri, simulated.carrier_uri
    async with shop_providers.outside(*uris) as shop:
        with pytest.raises(ProviderUnavailable):
            await shop.payment_provider.void("k", "a")
    simulated.kill()

    async with SimulatedProviders(tmp_path / "books") as again:
        told = await asyncio.to_thread(
            httpx.get, f"{again.uri}/faults", trust_env=False, timeout=30
        )

    assert told.json()["seed"] == 3
    assert [fault["kind"] for fault in told.json()["faults"]] == ["decline"]


async def test_all_books_survive_a_stop(tmp_path: Path) -> None:
    """Every kind of entry is read again as it was written."""
    async with SimulatedProviders(tmp_path / "books") as first, over_http(first) as outside:
        await outside.payment_provider.authorise("a", "o-1", TEN)
        await outside.payment_provider.capture("c", "a", TEN)
        await outside.payment_provider.refund("r", "a", Money.parse("0.1 GBP"))
        await outside.payment_provider.void("v", "unheard of")
        await outside.carrier.book("b", "o-1", None, 3)
        await outside.carrier.cancel("x", "b")
        before = await outside.audit.payments(), await outside.audit.bookings()

    async with SimulatedProviders(tmp_path / "books") as second, over_http(second) as outside:
        assert (await outside.audit.payments(), await outside.audit.bookings()) == before
        late = await outside.payment_provider.authorise("unheard of", "o-1", TEN)
        assert not isinstance(late, Authorised)


OLD_JOURNAL = """
CREATE TABLE calls (
    number INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    key TEXT NOT NULL,
    call TEXT NOT NULL,
    content TEXT NOT NULL,
    answer TEXT NOT NULL,
    UNIQUE (provider, key)
);
CREATE TABLE faults (one INTEGER PRIMARY KEY CHECK (one = 1), told TEXT NOT NULL);
INSERT INTO calls (provider, key, call, content, answer) VALUES
    ('payments', 'a', 'authorise', '{"order_id":"o-1","amount":"10.00 GBP"}',
     '{"answer": "authorised", "reference": "A00000001"}'),
    ('payments', 'c', 'capture', '{"authorisation":"a","amount":"10.00 GBP"}',
     '{"answer": "done"}'),
    ('payments', 'v', 'void', '{"authorisation":"a"}',
     '{"refused": "it has been captured: refund it"}'),
    ('parcels', 'b', 'book', '{"order_id":"o-1","country":null,"parcels":3}',
     '{"answer": "booked", "tracking_code": "SIM000000001"}');
INSERT INTO faults VALUES (1, '{"faults":[{"kind":"decline","call":null,"order_id":"o-2",
    "above":null,"rate":1.0,"times":7,"seconds":1.0,"reason":"declined by the bank"},
    {"kind":"unavailable","call":"cancel","order_id":null,"above":null,"rate":1.0,"times":null,
    "seconds":1.0,"reason":"declined by the bank"}],"seed":3}');
"""


async def test_a_journal_of_an_earlier_release_is_understood(tmp_path: Path) -> None:
    """Its calls have their answers, its records are there, and its faults strike."""
    with closing(sqlite3.connect(tmp_path / "books")) as file:
        file.executescript(OLD_JOURNAL)

    async with SimulatedProviders(tmp_path / "books") as simulated, over_http(simulated) as outside:
        provider, carrier = outside.payment_provider, outside.carrier
        assert await provider.find("a") == Authorised("A00000001")
        assert await carrier.find("b") == Booked("SIM000000001")
        with pytest.raises(ProviderRefused, match="refund it"):
            await provider.void("v", "a")
        assert [each.captured for each in await outside.audit.payments()] == [TEN]
        assert await provider.authorise("d", "o-2", TEN) == Declined("declined by the bank")
        assert isinstance(await provider.authorise("e", "o-3", TEN), Authorised)
        with pytest.raises(ProviderUnavailable):
            await carrier.cancel("x", "b")


def test_they_end_with_whoever_started_them() -> None:
    """Whatever that one died of."""
    script = (
        "from infrastructure.shop.simulated_providers import SimulatedProviders\n"
        "simulated = SimulatedProviders().start()\n"
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
    reason = r"cannot keep the journal in .*books.* locked"
    with SimulatedProviders(tmp_path / "books"), pytest.raises(SimulationFailed, match=reason):
        SimulatedProviders(tmp_path / "books").start()


def test_a_file_of_others_is_left_alone(tmp_path: Path) -> None:
    """A file that is not a journal is named, and not touched."""
    (tmp_path / "books").write_text("my diary, volume 1\n" * 100)

    with pytest.raises(SimulationFailed, match="cannot keep the journal"):
        SimulatedProviders(tmp_path / "books").start()

    assert (tmp_path / "books").read_text().startswith("my diary")


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """In what they say when they do not start."""
    with SimulatedProviders() as first, pytest.raises(SimulationFailed, match="in use"):
        SimulatedProviders(tmp_path / "books", port=int(first.uri.rpartition(":")[2])).start()


def test_only_this_machine_can_reach_them() -> None:
    """They ask nobody who he is, so they listen on loopback."""
    with SimulatedProviders() as simulated:
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(simulated.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
    assert listening == ["127.0.0.1"]


def test_a_stop_is_clean_with_calls_under_way() -> None:
    """SIGTERM ends them soon, whoever waits for an answer, with exit code 0 and no complaint."""
    with SimulatedProviders() as simulated:
        asyncio.run(set_faults(simulated, [Fault(kind="slow", seconds=600)]))
        with httpx.Client(trust_env=False) as client, pytest.raises(httpx.HTTPError):
            client.get(f"{simulated.payment_provider_uri}/calls?key=k", timeout=0.5)
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
        '{"faults": [{"kind": "slow", "oder_id": "o-1"}]}',
        '{"faults": [{"kind": "slow", "order_id": 1}]}',
        '{"faults": [{"kind": "slow", "call": "autorise"}]}',
        '{"faults": [{"kind": "slow", "provider": "parcels", "call": "authorise"}]}',
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
        told = client.get("/faults").json()

    assert refused.status_code == 422
    assert refused.json()["refused"]
    assert [fault["kind"] for fault in told["faults"]] == ["decline"]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("", '{"order_id": "o-1", "amount": "10 GBP"}'),
        ("k", ""),
        ("k", '{"order_id": "o-1"}'),
        ("k", '{"order_id": "o-1", "amount": 10}'),
        ("k", '{"order_id": "o-1", "amount": "10 GBP", "tip": "1 GBP"}'),
    ],
)
def test_a_call_that_is_not_understood_is_refused(
    simulated: SimulatedProviders, key: str, body: str
) -> None:
    """Without a key, without all it needs, or with money as a number."""
    uri, headers = f"{simulated.payment_provider_uri}/authorise", {"Idempotency-Key": key}

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
    uri = f"{simulated.payment_provider_uri}/calls?{query}"

    assert "?key=" in httpx.get(uri, trust_env=False, timeout=30).json()["refused"]


@pytest.mark.parametrize("path", ["/faults", "/payments", "/payments/calls?key=k"])
def test_a_page_in_a_browser_cannot_ask_them(simulated: SimulatedProviders, path: str) -> None:
    """A name that is not the loopback's is refused: faults are nobody else's to tell."""
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


def test_chance_is_the_same_each_time() -> None:
    """The same calls are struck in any order, another seed strikes others, at about the rate."""
    keys = [f"k-{number}" for number in range(1000)]

    def struck(order: list[str], seed: int) -> set[str]:
        faults = Faults([Fault(kind="drop", rate=0.25)], seed=seed)
        return {key for key in order if faults.strike("parcels", "book", key, Subject()).drop}

    assert struck(keys, seed=1) == struck(keys[::-1], seed=1)
    assert struck(keys, seed=1) != struck(keys, seed=2)
    assert 200 < len(struck(keys, seed=1)) < 300


def test_a_fault_of_one_provider_leaves_others_alone() -> None:
    """Calls of one name, under one key, are struck where the fault says."""
    faults = Faults([Fault(kind="drop", provider="payments", call="find")])

    assert not faults.strike("parcels", "find", "k", Subject()).drop
    assert faults.strike("payments", "find", "k", Subject()).drop


def test_a_repeated_call_has_another_chance() -> None:
    """Who is struck once is not struck for ever."""
    faults = Faults([Fault(kind="drop", rate=0.5)])

    assert {faults.strike("parcels", "book", "k", Subject()).drop for _ in range(50)} == {
        True,
        False,
    }

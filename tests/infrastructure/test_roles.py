"""A process has roles: each answers for its own health and metrics, and does its own work alone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import pytest
from dependency_injector import providers

from application.event_filter import EventFilter
from infrastructure import memory
from infrastructure.container import Container
from infrastructure.processes.service import serving
from infrastructure.roles import ALL, InvalidNumber, Role, append_moment, numbers, roles
from tests.infrastructure.test_http_problems import problem
from tests.infrastructure.test_http_readiness import ReadOnly
from tests.sample.client import empty_bank
from tests.sample.service import SAMPLE
from tests.waiting import until_true

TOKEN = "a-token-of-sixteen"


@dataclass(frozen=True)
class Process:
    """A process of the bank, in memory, and a client of it."""

    container: Container
    http: httpx.AsyncClient

    async def ready(self) -> dict[str, str]:
        """The checks, once it is ready."""
        await until_true(lambda: self.is_ready())
        checks: dict[str, str] = (await self.http.get("/health/ready")).json()["checks"]
        return checks

    async def is_ready(self) -> bool:
        return (await self.http.get("/health/ready")).is_success


@asynccontextmanager
async def process(
    of: Collection[Role], container: Container | None = None
) -> AsyncIterator[Process]:
    """A process with these roles, on a socket of its own."""
    container = container or empty_bank()
    container.roles.override(providers.Object(of))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            serving(container, [listener]),
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http,
        ):
            yield Process(container, http)


def tasks() -> set[str]:
    """The names of all tasks."""
    return {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.parametrize("role", Role)
async def test_a_process_of_any_role_answers_for_itself(role: Role) -> None:
    """It lives, becomes ready, and shows metrics that name its role; HEAD has no body."""
    filled = Role.PROJECTIONS if role is Role.API else role  # else its views are never up to date
    async with process({role, filled}) as one:
        assert (await one.http.get("/health/live")).json() == {"status": "alive"}
        checks = await one.ready()
        assert checks["event store"] == checks["tasks"] == "ok"
        metrics = await one.http.get("/metrics")
        assert metrics.headers["Content-Type"].startswith("text/plain")
        assert f'headwater_process_role{{role="{role}"}} 1.0' in metrics.text
        assert (await one.http.head("/health/live")).content == b""


async def test_the_readiness_of_a_role_is_its_own() -> None:
    """Each role checks what it depends on, and nothing that only others need."""
    views = {projection.name for projection in SAMPLE.read_models}
    every = {"event store", "tasks", "payload store"}
    expected = {
        Role.PROJECTIONS: {*every, "read models", *views},
        Role.SAGAS: {*every, "consumer groups", "gift cards"},
        Role.FORWARDERS: {*every, "gift cards"},  # only: bus
    }
    for role, names in expected.items():
        async with process({role}) as one:
            assert (await one.ready()).keys() == names, role


async def test_only_the_api_has_other_routes() -> None:
    """A worker answers 404 with what it has, and 405 where only GET is answered."""
    async with process({Role.SAGAS}) as one:
        told = problem(await one.http.get("/transfers"), 404)
        assert "sagas" in told["detail"]
        assert "/health/ready" in told["detail"]
        refused = await one.http.post("/metrics")
        problem(refused, 405)
        assert refused.headers["Allow"] == "GET, HEAD"


async def test_the_doors_of_a_worker_are_those_of_the_api() -> None:
    """Metrics need the token, health does not; an unknown host name is refused."""
    async with process({Role.PROJECTIONS}, empty_bank(api_token=TOKEN)) as one:
        refused = await one.http.get("/metrics")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        problem(refused, 401)
        given = {"Authorization": f"Bearer {TOKEN}"}
        assert (await one.http.get("/metrics", headers=given)).is_success
        assert (await one.http.get("/health/live")).is_success
        elsewhere = await one.http.get("/health/live", headers={"Host": "evil.example"})
        assert "HEADWATER_TRUSTED_HOSTS" in problem(elsewhere, 400)["detail"]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.SAGAS, 503),
        (Role.FORWARDERS, 200),  # only: bus
    ],
)
async def test_a_store_without_appends_stops_the_roles_that_append(role: Role, status: int) -> None:
    """A process that only reads stays ready; one that appends is not ready, and says why."""
    container = empty_bank()
    container.streams.override(providers.Object(ReadOnly(SAMPLE.catalogue)))
    async with process({role}, container) as one:
        answer = await one.http.get("/health/ready")
        assert answer.status_code == status
        if status == 503:
            assert "read-only" in problem(answer, 503)["checks"]["event store"]
            assert answer.headers["Retry-After"] == "1"


async def test_nothing_but_its_own_work_runs_in_a_process() -> None:
    """Tasks are named after what they do, and the API has none of the workers'."""
    async with process({Role.API}):
        assert {"http", "watch read models"} <= tasks()
        others = [name for name in tasks() if name.startswith(("projection", "saga", "reaction"))]
        assert others == []
    async with process({Role.SAGAS}):
        assert {"saga money_transfer", "reaction thanks", "deadlines money_transfer"} <= tasks()
        assert not {"projections", "watch read models"} & tasks()
    async with process({Role.PROJECTIONS}):
        await until_true(lambda: named("projection balances"))
        assert {"projections", "watch sagas"} <= tasks()
        assert not [name for name in tasks() if name.startswith(("saga ", "reaction "))]


async def named(name: str) -> bool:
    return any(task.startswith(name) for task in tasks())


@pytest.mark.parametrize("of", [ALL, {Role.API}, {Role.API, Role.SAGAS}])
def test_only_where_no_request_is_answered_appends_take_their_time(of: Collection[Role]) -> None:
    """Appends wait longer for each other in a process that has no caller who waits for them."""
    assert append_moment(of) < append_moment({Role.SAGAS})


def test_roles_and_numbers_are_read_as_they_are_written() -> None:
    """``all`` is each; a role has one process, unless another number is given."""
    assert roles(["api", "sagas"]) == {Role.API, Role.SAGAS}
    assert roles(["api", "all"]) == ALL
    assert numbers([]) == dict.fromkeys(Role, 1)
    found = numbers(["sagas=3", "api=2", "projections=0"])
    assert (found[Role.SAGAS], found[Role.API]) == (3, 2)
    assert Role.PROJECTIONS not in found
    assert Role.FORWARDERS not in numbers([], [Role.FORWARDERS])  # only: bus
    with pytest.raises(InvalidNumber, match="api=1"):
        numbers(["api=0"])
    for wrong in ("workers=2", "sagas", "sagas=-1", "sagas=many", "=2"):
        with pytest.raises(InvalidNumber, match="projections=2"):
            numbers([wrong])


class Counted(memory.Subscriptions):
    """A log that notes how often it was asked to count."""

    asked = 0

    async def count(self, only: EventFilter) -> int | None:
        self.asked += 1
        return await super().count(only)


@pytest.mark.parametrize("server_counts", [False, True])
async def test_a_process_that_answers_requests_reads_no_events_to_count_them(
    server_counts: bool,
) -> None:
    """The API counts the events that are missing only where the store's server does that."""
    container = empty_bank()
    log = Counted(memory.EventStore(SAMPLE.catalogue))
    side = replace(container.event_side(), log=log, server_counts=server_counts)
    container.event_side.override(providers.Object(side))
    async with process({Role.API}, container) as api:
        assert "headwater_process_role" in (await api.http.get("/metrics")).text
        assert (log.asked > 0) == server_counts

"""``HEADWATER_EVENT_STORE`` and ``headwater migrate``: which store a home and a database have."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infrastructure.postgres.migrating import migrations
from tests.e2e.bank import BANK, NOWHERE
from tests.e2e.command_line import refusal


def test_a_home_keeps_to_its_event_store(tmp_path: Path) -> None:
    """Unnamed, it is found out; another is refused, in a line that says where the events are."""
    home = tmp_path / "home"
    with BANK.running(home, HEADWATER_EVENT_STORE="postgres") as service:
        assert service.post("/accounts/a-1/deposits", {"amount": 5}).status_code == 201
        assert service.end(signal.SIGTERM) == 0

    assert "Deposited" in BANK.run(home, "stream", "account-a-1").stdout
    for command in (["run"], ["stream", "account-a-1"], ["projections", "list"]):
        told = refusal(BANK.run(home, *command, HEADWATER_EVENT_STORE="eventstoredb"), 1)
        assert f"the events in {home} are in PostgreSQL, not in EventStoreDB" in told
    assert "has no streams of links" in refusal(BANK.run(home, "stream", "$ce-account"), 1)
    assert "account-…, transfer-…" in refusal(BANK.run(home, "stream", "transfer-x"), 1)
    assert BANK.run(home, "migrate").stdout.startswith("All migrations have been applied")
    assert not (home / "eventstoredb").exists()


def test_what_cannot_be_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """Two stores at once, a store without a server: one line each, exit code 2."""
    home, servers = tmp_path / "home", {**NOWHERE, "HEADWATER_EVENT_STORE": "postgres"}
    assert "HEADWATER_EVENTSTOREDB_URI: nothing" in refusal(BANK.run(home, "serve", **servers), 2)
    del servers["HEADWATER_EVENTSTOREDB_URI"], servers["HEADWATER_POSTGRES_URI"]
    assert "HEADWATER_POSTGRES_URI: it has to be set" in refusal(
        BANK.run(home, "serve", **servers), 2
    )
    assert "start `run` first" in refusal(BANK.run(home, "migrate"), 1)
    assert not home.exists()


def test_two_processes_that_migrate_at_once_do_it_once(postgres: str, tmp_path: Path) -> None:
    """On an empty schema: one of them applies everything, the other nothing, both do well."""

    def migrate(_: int) -> str:
        ended = BANK.run(tmp_path, "migrate", HEADWATER_POSTGRES_URI=postgres)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    with ThreadPoolExecutor() as processes:
        first, second = sorted(processes.map(migrate, range(2)), key=len, reverse=True)

    assert first.splitlines() == [f"applied {migration.name}" for migration in migrations()]
    assert second.startswith("All migrations have been applied")

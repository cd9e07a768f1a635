"""``HEADWATER_EVENT_STORE`` and ``headwater migrate``: which store a home and a database have."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infrastructure.postgres.migrating import migrations
from tests.shop.e2e.headwater import headwater, refusal
from tests.shop.e2e.test_commands import HISTORY
from tests.shop.e2e.test_run import NOWHERE


def test_a_home_keeps_to_its_event_store(tmp_path: Path) -> None:
    """Unnamed, it is found out; another is refused, in a line that says where the events are."""
    home, file = tmp_path / "home", tmp_path / "history.csv"
    file.write_text(HISTORY)
    ended = headwater(home, "import", str(file), HEADWATER_EVENT_STORE="postgres")
    assert ended.returncode == 0, ended.stderr

    assert "OrderPlaced" in headwater(home, "stream", "order-536365").stdout
    for command in (["run"], ["stream", "order-536365"], ["projections", "list"]):
        told = refusal(headwater(home, *command, HEADWATER_EVENT_STORE="eventstoredb"), 1)
        assert f"the events in {home} are in PostgreSQL, not in EventStoreDB" in told
    assert "only EventStoreDB has such" in refusal(headwater(home, "stream", "$ce-order"), 1)
    assert headwater(home, "migrate").stdout.startswith("All migrations have")
    assert not (home / "eventstoredb").exists()


def test_what_cannot_be_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """Two stores at once, a store without a server: one line each, exit code 2."""
    home, servers = tmp_path / "home", {**NOWHERE, "HEADWATER_EVENT_STORE": "postgres"}
    assert "HEADWATER_EVENTSTOREDB_URI: nothing" in refusal(headwater(home, "serve", **servers), 2)
    del servers["HEADWATER_EVENTSTOREDB_URI"], servers["HEADWATER_POSTGRES_URI"]
    assert "HEADWATER_POSTGRES_URI: it has to be set" in refusal(
        headwater(home, "serve", **servers), 2
    )
    assert "headwater run" in refusal(headwater(home, "migrate"), 1)
    assert not home.exists()


def test_two_processes_that_migrate_at_once_do_it_once(postgres: str, tmp_path: Path) -> None:
    """On an empty schema: one of them applies everything, the other nothing, both do well."""

    def migrate(_: int) -> str:
        ended = headwater(tmp_path, "migrate", HEADWATER_POSTGRES_URI=postgres)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    with ThreadPoolExecutor() as processes:
        told = sorted(processes.map(migrate, range(2)), key=len)

    assert told[0].startswith("All migrations have been applied")
    assert told[1].splitlines() == [f"applied {migration.name}" for migration in migrations()]

"""A home: one service lives there, and other commands find out what there is."""

import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure.processes import CommandFailed
from infrastructure.processes.found import Found, Running
from infrastructure.processes.home import Home
from infrastructure.settings import Settings

URI = "postgresql://postgres@/postgres"


def home_in(directory: Path) -> tuple[Home, Settings]:
    settings = Settings(home=directory, event_store="postgres", postgres_uri=URI)
    return Home(settings), settings


def test_a_service_is_found_while_it_lives_there(tmp_path: Path) -> None:
    """Its servers are known by their settings, those that have none are left out."""
    home, settings = home_in(tmp_path)
    with home.claimed():
        home.announce(Running.here(settings, "http://127.0.0.1:1"))
        running = home_in(tmp_path)[0].found().running
        with pytest.raises(CommandFailed, match=r"at http://127.0.0.1:1.* HEADWATER_HOME"):
            home_in(tmp_path)[0].claimed().__enter__()

    assert running is not None
    assert (running.event_store, running.servers) == ("postgres", {"postgres_uri": URI})
    assert running.events_at == {"postgres_uri": URI}
    assert home.found() == Found()


@pytest.mark.parametrize(
    ("document", "store"),
    [
        ({"eventstoredb_uri": None, "postgres_uri": URI, "event_store": "postgres"}, "postgres"),
        ({"eventstoredb_uri": "esdb://h", "postgres_uri": URI, "more": 1}, "eventstoredb"),
    ],
)
def test_a_service_of_another_release_is_found(
    tmp_path: Path, document: dict[str, Any], store: str
) -> None:
    """What it announces may lack what is new, and have what is not known here."""
    home, _ = home_in(tmp_path)
    with home.claimed():
        (tmp_path / "running.json").write_text(json.dumps({"pid": 1, "url": "u", **document}))
        running = home.found().running

    assert running is not None
    assert running.event_store == store
    assert running.servers["postgres_uri"] == URI


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}'])
def test_a_notice_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    """Nobody is found, and the home is still taken."""
    home, _ = home_in(tmp_path)
    with home.claimed():
        (tmp_path / "running.json").write_text(content)
        assert home.found().running is None
        with pytest.raises(CommandFailed, match="another command is at work"):
            home_in(tmp_path)[0].claimed().__enter__()


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    """The data of embedded servers, and which of them has the events."""
    home, _ = home_in(tmp_path / "home")
    assert home.found() == Found()
    assert not (tmp_path / "home").exists()

    (tmp_path / "home" / "postgres").mkdir(parents=True)
    assert home.found() == Found(holds=frozenset({"postgres"}))
    home.keep("postgres")
    assert home.found().keeps == "postgres"

    (tmp_path / "earlier" / "eventstoredb").mkdir(parents=True)  # which wrote down no store
    assert home_in(tmp_path / "earlier")[0].found().keeps == "eventstoredb"

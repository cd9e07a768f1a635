"""The shop's commands, too, import only what they work with."""

from collections.abc import Mapping
from pathlib import Path

from tests.infrastructure.test_command_imports import HTTP, UNUSED, imported_by
from tests.infrastructure.test_drivers import EVENTSTOREDB
from tests.without import run

COMMAND = """
from infrastructure.cli.main import main
from infrastructure.shop.program import PROGRAM
main(PROGRAM)
"""


def test_a_query_imports_neither_an_event_store_nor_a_provider(
    tmp_path: Path, servers: Mapping[str, str]
) -> None:
    """That what is outside can be started here takes no import of how it is called."""
    run((), COMMAND, tmp_path, "migrate", **servers)
    modules = imported_by(("orders",), tmp_path, COMMAND, **servers)

    providers = ("aiohttp", "httpx", "infrastructure.providers", "infrastructure.shop.providers")
    assert modules & {*HTTP, *UNUSED, *EVENTSTOREDB, *providers} == set()

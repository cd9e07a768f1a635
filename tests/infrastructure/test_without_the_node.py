"""The service where the embedded node is not installed, as in its container image."""

from pathlib import Path

import pytest

from tests.without import COMMAND, IMPORT_ALL, run

NODE = ("embedded_eventstoredb",)


@pytest.mark.parametrize("arguments", [["node", "--memory"], ["run"]])
def test_what_needs_the_node_says_so(tmp_path: Path, arguments: list[str]) -> None:
    """It ends with one line that names the extra, and without a trace."""
    ended = run(NODE, COMMAND, tmp_path, *arguments)
    assert ended.returncode == 1
    assert "the extra 'embedded'), or set the address of a server" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_only_what_starts_servers_imports_it(tmp_path: Path) -> None:
    """Every other module of the kit can be imported without it, so a container does not need it."""
    ended = run(NODE, IMPORT_ALL, tmp_path)
    missing = ended.stdout.split()
    assert missing == ["infrastructure.cli.node"], ended.stderr

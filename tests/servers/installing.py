"""Where servers are installed, and how: from package registries, by their own clients.

They name no registry: each client has its own settings for that, and its own cache.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.servers.server import NotHere

_PATIENCE: Final = 900.0  # seconds for one step
_COORDINATES: Final = "<groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>"
_POM: Final = (
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    f"{_COORDINATES.format('headwater', 'servers', '1')}<packaging>pom</packaging>"
    "<dependencies>{}</dependencies></project>"
)


def home() -> Path:
    """``SERVERS_HOME``, which several checkouts can share, or a directory in this one."""
    given = os.environ.get("SERVERS_HOME")
    return Path(given).absolute() if given else Path(__file__).parents[2] / ".headwater/servers"


def need(program: str, package: str) -> str:
    """The path of a program. Raises ``NotHere``, with the package that has it."""
    if found := shutil.which(program):
        return found
    raise NotHere(f"needs {program}, which is not installed (Debian: apt install {package})")


def wheel_program(program: str, package: str) -> str:
    """The path of a program that a wheel brings into this environment, or raises ``NotHere``."""
    if found := shutil.which(program, path=str(Path(sys.executable).parent)):
        return found
    raise NotHere(f"needs the Python package {package}, which is not installed (extra 'servers')")


def jars(name: str) -> str:
    """The class path of what :func:`install_jars` has installed. Raises ``NotHere``."""
    directory = home() / name / "lib"
    if not directory.is_dir():
        raise NotHere("is not installed: `make servers` does that, with Maven and Java")
    return f"{directory}/*"


def install_jars(name: str, artifacts: Sequence[str]) -> None:
    """Those ``group:artifact:version``, with all they depend on. Raises ``NotHere``."""
    maven = need("mvn", "maven")
    dependencies = "".join(
        f"<dependency>{_COORDINATES.format(*one.split(':'))}</dependency>" for one in artifacts
    )
    with Draft(home() / name, "lib") as draft:
        pom = draft.parent / "pom.xml"
        pom.write_text(_POM.format(dependencies))
        into = ["-DincludeScope=runtime", f"-DoutputDirectory={draft}"]
        goal = "dependency:copy-dependencies"
        run([maven, "--batch-mode", "--quiet", f"--file={pom}", goal, *into])


class Draft:
    """A directory that gets its name when it is complete: an install that is killed leaves none."""

    def __init__(self, at: Path, name: str) -> None:
        self._whole, self._draft = at / name, at / f"{name}.{os.getpid()}"

    def __enter__(self) -> Path:
        self._draft.mkdir(parents=True)
        return self._draft

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and not self._whole.exists():
            self._draft.rename(self._whole)
        shutil.rmtree(self._draft, ignore_errors=True)


def install_wheel(directory: Path, name: str, package: str) -> None:
    """An environment of that name for a program alone, whose pins would be in the way of ours."""
    with Draft(directory, name) as draft:
        venv.create(draft, with_pip=True)
        run([str(draft / "bin/python"), "-m", "pip", "install", "--quiet", package])


def run(command: Sequence[str], directory: Path | None = None) -> None:
    """A step of an installation. Raises ``NotHere`` with the end of what it printed."""
    try:
        subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
            timeout=_PATIENCE,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        printed = error.stdout or ""
        text = printed if isinstance(printed, str) else printed.decode(errors="replace")
        raise NotHere(
            "\n".join([f"cannot be installed: {error}", *text.splitlines()[-10:]])
        ) from error

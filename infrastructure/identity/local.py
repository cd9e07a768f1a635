"""Who uses this machine: the one caller who needs no proof, since they have its credentials."""

import getpass
import os
from typing import Final

from application.access import Caller

ISSUER: Final = "os"


def local_user() -> str:
    """The user of this process, by name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"user {os.getuid()}"


def local_caller() -> Caller:
    """The user of this process, who may do everything. The operating system vouches for them."""
    return Caller(f"{ISSUER}|{local_user()}", roles=None)

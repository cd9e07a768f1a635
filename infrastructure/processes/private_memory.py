"""The memory of a process that holds passwords and keys is not written to a disk, nor read."""

import ctypes
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def keep_memory_private() -> None:
    """No core dump from now on; on Linux, other processes of this user cannot read the memory.

    The limit alone does not stop a handler of core dumps, such as that of systemd. A debugger needs
    the rights of root from now on. Processes that are started later decide for themselves.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

"""A process that ends with its parent, however that ends: also by SIGKILL."""

import os
import threading


def end_with_parent() -> None:
    """End this process at once when its standard input is closed, as by its parent's death.

    At once, as if it had been killed too: what it holds, such as the port, is free for the next.
    A thread waits for that, since the event loop may be what hangs.
    """
    threading.Thread(target=_wait, name="parent", daemon=True).start()


def _wait() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)

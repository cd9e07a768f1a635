"""One process of the service, with a meter: starts the program with what follows FILE.

    python -m tests.shop.benchmarks.whole_orders.metered FILE serve …

SIGUSR1 makes it write to FILE what each part has taken so far, in seconds of the processor.
"""

import asyncio
import json
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.shop.benchmarks.whole_orders.meter import Meter

APPEND: Final = "append"
PROVIDERS: Final = "providers"
_CALLED: Final = (
    ("infrastructure.postgres.events.event_store", "EventStore", ("append",), APPEND),
    ("infrastructure.eventstoredb.event_store", "EventStore", ("append",), APPEND),
    ("infrastructure.providers.http", "HttpConnection", ("call", "find"), PROVIDERS),
)
"""What tasks call that is a part of its own: module, class, methods, part."""


def main(file: Path) -> None:
    meter = Meter()
    for module, name, methods, part in _CALLED:
        for method in methods:
            meter.calls(getattr(import_module(module), name), method, part)
    _install(meter)
    signal.signal(signal.SIGUSR1, lambda *_: _write(meter, file))
    meter.start()
    from infrastructure.shop.__main__ import main as program

    program()


def _install(meter: Meter) -> None:
    """Every loop that is run from now on makes its tasks with this meter."""
    run = asyncio.Runner.run

    def metered(self: asyncio.Runner, *args: Any, **kwargs: Any) -> Any:
        self.get_loop().set_task_factory(meter.task)
        return run(self, *args, **kwargs)

    asyncio.Runner.run = metered  # type: ignore[method-assign]  # only here it is known early


def _write(meter: Meter, file: Path) -> None:
    draft = file.with_suffix(".new")
    parts = meter.taken
    rest = time.process_time() - time.thread_time()
    draft.write_text(json.dumps({**parts, "other threads": rest}))
    draft.replace(file)


if __name__ == "__main__":
    where = Path(sys.argv.pop(1))
    main(where)

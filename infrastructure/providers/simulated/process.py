"""The simulated providers as a child process: started, waited for, stopped, or killed.

Apart from the rest of this package, since it needs the extra ``embedded``.
"""

from pathlib import Path
from typing import Final

from embedded_eventstoredb import ChildFailed, ChildProcess

_SOURCE: Final = Path(__file__).parents[3]


class SimulationFailed(ChildFailed):
    """The simulated providers did not start; the text is what they printed."""


class SimulatedProviders(ChildProcess):
    """The providers declared at a place in the code. They end with this process, however it ends.

    Usable from plain and from asyncio code: ``with SimulatedProviders("…:SIMULATED") as outside``.
    """

    name = "the process of the simulated providers"
    failure = SimulationFailed
    stop_seconds = 3.0

    def __init__(self, declared: str, file: Path | None = None, port: int = 0) -> None:
        """``declared``: ``module:NAME``, a sequence of ``SimulatedProvider``.

        Without a file for the journal nothing is kept; port 0 is any free one.
        """
        kept = [] if file is None else ["--file", str(file.absolute())]
        super().__init__(
            "infrastructure.providers.simulated", port, [declared, *kept], source=_SOURCE
        )

    @property
    def uri(self) -> str:
        """The address of all of them. ``/faults`` there sets what goes wrong."""
        return self.ready

    def uri_of(self, provider: str) -> str:
        """The address of the provider of that name."""
        return f"{self.uri}/{provider}"

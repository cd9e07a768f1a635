"""The service as its users start it, on servers of its own."""

import sys
from pathlib import Path

from infrastructure.some_service.program import ServiceSettings
from tests.e2e.command_line import CommandLine
from tests.e2e.command_line import until  # if tiny

COMMAND = (sys.executable, "-m", "infrastructure.some_service")
SERVICE = CommandLine(COMMAND, ServiceSettings)


# if tiny
def test_a_command_is_carried_out_and_its_saga_completes(tmp_path: Path) -> None:
    """On servers of its own: a command, what the saga makes of it, and what is in the stream."""
    with SERVICE.running(tmp_path / "home") as service:
        answer = service.post("/some-routes/a-1/open", {"name": "Ada"})
        assert answer.status_code == 200, answer.text
        path = "/some-routes/a-1"
        until(lambda: service.get(path).get("status") == "confirmed", service)
        printed = SERVICE.run(tmp_path / "home", "stream", "some_aggregate-a-1").stdout
        assert "SomeAggregateConfirmed" in printed
# end if
# if not tiny
def test_it_starts(tmp_path: Path) -> None:
    """On servers of its own, and says where it is."""
    with SERVICE.running(tmp_path / "home") as service:
        service.wait_for_welcome()
        assert service.is_ready
# end if

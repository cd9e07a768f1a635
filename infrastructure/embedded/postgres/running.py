"""PostgreSQL's own record of its process, compared with the running processes."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Server:
    pid: int
    sockets: str
    ready: bool

    @property
    def uri(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(self.sockets, safe='')}"


def recorded_pid(data: Path) -> int | None:
    """The server's process by PostgreSQL's record; it may have ended."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        return None


def running(data: Path) -> Server | None:
    """The server that runs on this directory, of any process."""
    import psutil  # it comes with the wheel, and only with it

    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        if process.name() != "postgres" or str(data) not in process.cmdline():
            return None
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None
    whole = len(lines) >= 8  # it is written line by line
    return Server(process.pid, lines[4] if whole else "", whole and lines[7].strip() == "ready")

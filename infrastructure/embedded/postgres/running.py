"""What PostgreSQL writes down about its own process, held against the processes there are."""

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
    """The server's process as PostgreSQL wrote it down; it may be long gone."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        return None


def running(data: Path) -> Server | None:
    """The server that runs over this directory, whoever started it."""
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

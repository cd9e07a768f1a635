"""The commands of documentation pages, run as a reader types them.

A ``console`` block has commands, each behind ``$ ``, and below each what it prints. A line that
ends in a backslash goes on in the next one.

What is printed has to be what the page shows, but for three things: ``…`` in a line stands for any
text, a line that is ``…`` alone for any lines, and spaces for any number of them. Where nothing is
shown, anything may be printed. A command other than ``curl`` has to end with exit code 0.

A command that only asks is repeated until its answer is the one on the page, since read models
follow a little later. Nothing that changes anything is sent twice, unless the service was too busy.
"""

import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.shop.e2e.cli import COMMAND, PATIENCE
from tests.shop.e2e.curl import curl, printed

ROOT: Final = Path(__file__).parents[3]
_URL: Final = "http://127.0.0.1:8000"
_PAUSE: Final = 0.05

_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_ASKS: Final = re.compile(
    r"curl (?!.* -[dX] )|\S*headwater"
    r" (orders|customers|products|sales|stock|stream|audit|doctor|\w+ (list|show|picks|actions))\b"
)


@dataclass(frozen=True)
class Example:
    """A command of a page, and what the page shows below it."""

    place: str  # page:line
    command: str
    shown: str

    @property
    def asks(self) -> bool:
        """Whether it changes nothing, so that it may be repeated."""
        return bool(_ASKS.match(self.command))

    def is_answered_by(self, output: str) -> bool:
        """Whether that is what the page shows."""
        if not self.shown:
            return True
        lines = [_pattern(line) for line in self.shown.splitlines()]
        return bool(re.fullmatch("".join(lines), _lines(output)))


def pages() -> Mapping[str, Path]:
    """The pages that have commands to be run, by their names."""
    found = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    return {str(page.relative_to(ROOT)): page for page in found if _BLOCK.search(page.read_text())}


def examples(page: Path) -> Iterator[Example]:
    """The commands of a page, in order."""
    text = page.read_text()
    for block in _BLOCK.finditer(text):
        for command in _COMMAND.finditer(block[1]):
            line = text.count("\n", 0, block.start(1) + command.start()) + 1
            place = f"{page.relative_to(ROOT)}:{line}"
            yield Example(place, command[1].replace("\\\n", " "), command[2])


class Reader:
    """Types the commands of a page into a terminal, in the directory of the repository."""

    def __init__(self, environment: Mapping[str, str], url: str) -> None:
        """``url`` is where the service is that the page has at ``http://127.0.0.1:8000``."""
        self._environment, self._url = environment, url

    def follow(self, example: Example) -> None:
        """Run a command. Fails unless it succeeds, and prints what the page shows."""
        deadline = time.monotonic() + PATIENCE
        while True:
            done, output = self._type(example.command.replace(_URL, self._url))
            if done and example.is_answered_by(output.replace(self._url, _URL)):
                return
            may_be_repeated = example.asks and time.monotonic() < deadline
            assert may_be_repeated, (
                f"{example.place}: {example.command}\nThe page shows:\n{example.shown}\n"
                f"It prints:\n{output}"
            )
            time.sleep(_PAUSE)

    def _type(self, command: str) -> tuple[bool, str]:
        """Whether it succeeded, and what it printed."""
        return self._ask(command) if command.startswith("curl ") else self._run(command)

    def _ask(self, command: str) -> tuple[bool, str]:
        """As with ``curl`` itself, a refusal by the service is an answer like any other."""
        answer = curl(command)
        for _ in range(int(PATIENCE / _PAUSE)):
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(_PAUSE)
            answer = curl(command)
        return True, printed(command, answer)

    def _run(self, command: str) -> tuple[bool, str]:
        ended = subprocess.run(
            ["bash", "-c", command.replace(".venv/bin/headwater", shlex.join(COMMAND))],
            cwd=ROOT,
            env=dict(self._environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return ended.returncode == 0, ended.stdout


def _pattern(line: str) -> str:
    """What a line of the page stands for, as an expression over whole lines."""
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    texts = (" +".join(map(re.escape, text.split())) for text in line.split("…"))
    return " *" + " *.* *".join(texts) + "\n"


def _lines(output: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in output.splitlines())

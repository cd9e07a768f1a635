"""From a draft to files: made whole in a copy of the checkout, then put in place together."""

import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import dropwhile
from pathlib import Path
from typing import Final

from infrastructure.cli.adding.checkout import Checkout, Draft
from infrastructure.processes import CommandFailed

PATIENCE: Final = 300.0  # seconds for one of the programs, on a busy machine too
_PRINTED: Final = re.compile(
    r"^\t@\$\(BIN\)/python -m (tests\.[^>\n]*) > (docs/\S+)$", re.MULTILINE
)
"""In the Makefile: a page of the documentation that is printed from the source."""
_NO_NEWLINE: Final = "\n\\ No newline at end of file\n"


def settled(draft: Draft) -> Mapping[str, str]:
    """All files that are new or change: the draft, formatted, and what follows from it.

    Nothing in the checkout changes. Raises ``CommandFailed`` when a program is missing, and when
    the service cannot be read with the new pages.
    """
    _ruff()  # before anything is copied
    with tempfile.TemporaryDirectory(prefix="add-") as directory:
        at = Path(directory)
        _copy(draft.checkout, at)
        for path, text in draft.files.items():
            _put(at / path, text)
        python = [path for path in draft.files if path.endswith(".py")]
        tidy(at, python)
        _run((sys.executable, "-m", "infrastructure.cli.adding.following", _follows(draft, at)), at)
        return dict(_differing(draft.checkout, at))


def tidy(at: Path, python: Sequence[str]) -> None:
    """Sort the imports of these pages, drop those that they do not use, and format them.

    Which imports a form needs depends on its commands. Raises ``CommandFailed``.
    """
    ruff = _ruff()
    _run((ruff, "check", "--quiet", "--no-cache", "--select", "I,F401", "--fix", *python), at)
    _run((ruff, "format", "--quiet", "--no-cache", *python), at)


def difference(checkout: Checkout, files: Mapping[str, str]) -> str:
    """As a patch that ``git apply`` takes."""
    lines: list[str] = []
    for path, text in files.items():
        file = checkout.root / path
        before = file.read_text().splitlines(keepends=True) if file.exists() else []
        old, new = (f"a/{path}" if before else "/dev/null"), f"b/{path}"
        changes = difflib.unified_diff(before, text.splitlines(keepends=True), old, new)
        lines += [line if line.endswith("\n") else f"{line}{_NO_NEWLINE}" for line in changes]
    return "".join(lines)


def put_in_place(checkout: Checkout, files: Mapping[str, str]) -> None:
    """All of them, or none: what was replaced before an error is put back. Raises ``OSError``."""
    before = {path: _read(checkout.root / path) for path in files}
    try:
        for path, text in files.items():
            _put(checkout.root / path, text)
    except BaseException:
        for path, old in before.items():
            _put_back(checkout.root / path, old)
        raise


def _put_back(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink(missing_ok=True)
    else:
        _put(file, text)


def _read(file: Path) -> str | None:
    return file.read_text() if file.exists() else None


def _put(file: Path, text: str) -> None:
    """Write it whole, under another name first. It is readable as sources are."""
    for folder in reversed([one for one in file.parents if not one.exists()]):
        folder.mkdir()
        folder.chmod(0o755)
    mode = file.stat().st_mode if file.exists() else 0o644
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text)
    beside.chmod(mode)
    beside.replace(file)


def _ruff() -> str:
    beside = Path(sys.executable).parent / "ruff"
    if not beside.exists() or find_spec("pytest") is None:
        raise CommandFailed(
            "ruff and pytest are not installed here, and this command needs them: "
            "run `make check` first, which installs them"
        )
    return str(beside)


def _copy(checkout: Checkout, at: Path) -> None:
    """Links to all files that git knows or would take: a program replaces them, and reads on."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        names = subprocess.run(
            listed, cwd=checkout.root, capture_output=True, text=True, timeout=PATIENCE, check=True
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError) as error:
        raise CommandFailed(f"git does not list the files of {checkout.root}: {error}") from error
    for name in filter(None, names):
        source = checkout.root / name
        if source.is_file():
            (at / name).parent.mkdir(parents=True, exist_ok=True)
            (at / name).symlink_to(source.resolve())


def _follows(draft: Draft, at: Path) -> str:
    """What is printed and frozen anew, as JSON: modules with their arguments, and their files."""
    frozen = [
        [[path.removesuffix(".py").replace("/", ".")], None]
        for path, text in sorted(draft.files.items())  # events before sagas
        if path.startswith("tests/") and ".freeze()" in text
    ]
    makefile = at / "Makefile"
    printed = _PRINTED.findall(makefile.read_text()) if makefile.exists() else []
    return json.dumps([*frozen, *([command.split(), file] for command, file in printed)])


def _run(command: tuple[str, ...], at: Path) -> None:
    paths = os.pathsep.join(filter(None, (str(at), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        command,
        cwd=at,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if ended.returncode:
        reason = reason_in(ended.stderr or ended.stdout)
        raise CommandFailed(f"the service cannot have this, so nothing was written: {reason}")


def reason_in(printed: str) -> str:
    """What a program printed when it failed, in one line; of a traceback, its exception."""
    _, frames, end = printed.rpartition('\n  File "')
    lines = printed.splitlines()
    if frames:  # the rest of the last frame is indented, and so is its line of code
        lines = [*dropwhile(lambda line: line.startswith(" "), end.splitlines()[1:])]
    return " ".join(filter(None, map(str.strip, lines))) or "no reason given"


def _differing(checkout: Checkout, at: Path) -> Iterator[tuple[str, str]]:
    """Files of the copy that are no links any more, and not as they were."""
    for file in sorted(at.rglob("*")):
        if file.is_file() and not file.is_symlink() and "__pycache__" not in file.parts:
            path = str(file.relative_to(at))
            if (text := file.read_text()) != _read(checkout.root / path):
                yield path, text

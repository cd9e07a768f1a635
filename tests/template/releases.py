"""Releases of the template in a repository of their own, and a service that takes them.

It is what users have: tags in git, ``copier copy`` and ``copier update``, and nothing of ours.
"""

import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copier import run_copy, run_update

from tests.code_names import ROOT
from tests.template.build import SUFFIX, build
from tests.template.service import ASKED
from tests.template.tree import Entry

_BY = ("-c", "user.name=Test", "-c", "user.email=test@example.org")


def git(at: Path, *command: str) -> str:
    """What the command prints in that repository."""
    done = subprocess.run(
        ("git", *_BY, *command), cwd=at, check=True, capture_output=True, text=True
    )
    return done.stdout


def committed(at: Path, message: str) -> None:
    """Commit everything that git does not ignore."""
    git(at, "add", "--all")
    git(at, "commit", "--quiet", "--allow-empty", "--message", message)


@dataclass(frozen=True)
class Releases:
    """A repository with the template in it."""

    at: Path

    @classmethod
    def of(cls, entries: Sequence[Entry], at: Path) -> "Releases":
        """A new one, with a template of these files."""
        for name in ASKED:
            (at / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, at / name)
        build(entries, at / "template", links=False)
        git(at, "init", "--quiet")
        return cls(at)

    def release(self, tag: str, *, pages: Mapping[str, str] = {}, question: str = "") -> None:
        """Tag a release: these pages go on with more text, or are new, and a question more."""
        for path, more in pages.items():
            written = self.at / "template" / f"{path}{SUFFIX}"
            page = written if written.exists() else self.at / "template" / path
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text((page.read_text() if page.exists() else "") + more)
        with (self.at / "copier.yml").open("a") as questions:
            questions.write(question)
        committed(self.at, tag)
        git(self.at, "tag", tag)

    def take(self, *names: str) -> None:
        """From now on, no new service can have these names."""
        page = self.at / "tests/template/taken.yml"
        more = "default: [\n    " + "".join(f"{name!r}, " for name in names)
        page.write_text(page.read_text().replace("default: [\n    ", more))


@dataclass(frozen=True)
class Service:
    """A service that was made from a release, in a repository of its own."""

    at: Path

    @classmethod
    def made(cls, releases: Releases, tag: str, at: Path, **answers: Any) -> "Service":
        """By ``copier copy``, then committed as its team does."""
        run_copy(str(releases.at), at, data=answers, defaults=True, quiet=True, vcs_ref=tag)
        git(at, "init", "--quiet")
        committed(at, "made")
        return cls(at)

    def update(self, **answers: Any) -> None:
        """By ``copier update`` to the newest release, with these answers changed.

        Raises ``ValueError`` for an answer that the template refuses.
        """
        run_update(self.at, data=answers, defaults=True, overwrite=True)

    def write(self, pages: Mapping[str, str]) -> None:
        """The team writes these pages: they are new, or go on with this text."""
        for path, text in pages.items():
            page = self.at / path
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text((page.read_text() if page.exists() else "") + text)
        committed(self.at, "the team's work")

    def read(self, path: str) -> str:
        """The text of a file."""
        return (self.at / path).read_text()

    def files(self) -> Collection[str]:
        """All files that are in the working tree."""
        listed = git(self.at, "ls-files", "--cached", "--others", "--exclude-standard")
        return {path for path in listed.splitlines() if (self.at / path).exists()}

    def conflicts(self) -> Collection[str]:
        """The files that git has marked as conflicts."""
        return {*git(self.at, "diff", "--name-only", "--diff-filter=U").splitlines()}

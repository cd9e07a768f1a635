"""The checkout of a service: its files, and a draft of changes to them."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import infrastructure
from infrastructure.processes import CommandFailed


@dataclass(frozen=True)
class Checkout:
    """Where the sources of the service are, and the name of its package."""

    root: Path
    package: str

    @classmethod
    def of_this_process(cls) -> Self:
        """That whose code runs. Raises :class:`CommandFailed` where the sources are not at hand."""
        return cls.at(Path(infrastructure.__file__ or "").parents[1])

    @classmethod
    def at(cls, root: Path) -> Self:
        """That in a directory. Raises :class:`CommandFailed` if it is not one, or not under git."""
        project = root / "pyproject.toml"
        if not project.is_file() or not (root / "tests").is_dir():
            raise CommandFailed(
                "this is an installed service, without its sources: run the command in the checkout"
            )
        if not any((above / ".git").exists() for above in (root, *root.parents)):
            raise CommandFailed(
                f"{root} is not under git, so nobody could see or take back what is added: "
                "run `git init` first"
            )
        return cls(root, _package(project))


def _package(project: Path) -> str:
    """From the entry point: ``infrastructure.billing.__main__:main`` → ``billing``."""
    try:
        (entry,) = tomllib.loads(project.read_text())["project"]["scripts"].values()
        _, package, _ = entry.partition(":")[0].split(".")
    except (KeyError, ValueError) as error:
        raise CommandFailed(
            f"{project} has to name one entry point of the form "
            '"infrastructure.PACKAGE.__main__:main" in [project.scripts]'
        ) from error
    return str(package)


@dataclass
class Draft:
    """Files that are to be written: none is until all are known."""

    checkout: Checkout
    files: dict[str, str] = field(default_factory=dict)

    def has(self, path: str) -> bool:
        return path in self.files or (self.checkout.root / path).exists()

    def text(self, path: str) -> str:
        """The file as it will be. Raises :class:`CommandFailed` if there is none."""
        if path not in self.files and not (self.checkout.root / path).is_file():
            raise CommandFailed(f"{path} is not there, and the command has to add a line to it")
        return self.files.get(path) or (self.checkout.root / path).read_text()

    def write(self, path: str, text: str) -> None:
        """A new file. Raises :class:`CommandFailed` if it is there already."""
        if self.has(path):
            raise CommandFailed(f"{path} is there already: choose another name, or change it")
        self.files[path] = text

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        """A file with one change more."""
        self.files[path] = change(self.text(path))

"""How a service takes the shop's place, step by step: what a team does once, done by a script."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.alone.pages import Pages
from tests.code_names import ROOT
from tests.reference import commands

SERVICE: Final = Path(__file__).parent / "service"
"""The files of the new service, each under the path that it gets."""

_RULES: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
(_OF_THE_SHOP,) = (
    rule
    for rule in _RULES["contracts"]
    if rule["type"] == "protected" and "application.shop" in rule["protected_modules"]
)
SHOP: Final = tuple(_OF_THE_SHOP["protected_modules"])
"""The modules and packages that go: those which the architecture rule names."""

_OF_SHOP: Final = r'\["application\.shop", "infrastructure\.shop"[^]]*\]'
NAMED: Final = {
    "pyproject.toml": {
        r'headwater = "infrastructure\.shop\.': 'library = "infrastructure.library.',
        rf"protected_modules = {_OF_SHOP}": "protected_modules = "
        '["application.library", "infrastructure.library", "tests.library", "domain.loans"]',
        rf"allowed_importers = {_OF_SHOP}": "allowed_importers = "
        '["application.library", "infrastructure.library", "tests.library"]',
        r'"infrastructure\.shop\.http"': '"infrastructure.library"',
        r' *"infrastructure\.shop\.online_retail",\n': "",
    },
    "Makefile": {"SERVICE := shop": "SERVICE := library"},
}
"""What names the shop besides its own files, and what stands there for the library."""


def copy(into: Path) -> None:
    """0. A copy of all files that git knows of, or would take."""
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).splitlines():
        if (ROOT / name).exists():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)


def remove_the_shop(at: Path) -> None:
    """1. Its pages of the domain, its two rooms, and its tests."""
    for name in SHOP:
        path = at / name.replace(".", "/")
        shutil.rmtree(path) if path.is_dir() else path.with_suffix(".py").unlink()


def put_the_service(at: Path) -> None:
    """2. The new one's files, each in the room where the shop's were."""
    shutil.copytree(SERVICE, at, dirs_exist_ok=True)
    shutil.rmtree(at / SERVICE.parent.relative_to(ROOT))  # the steps have been taken


def name_the_service(at: Path) -> None:
    """3. The entry point, the architecture rules, and the Makefile."""
    for name, changes in NAMED.items():
        text = (at / name).read_text()
        for before, after in changes.items():
            text, count = re.subn(before, after, text)
            assert count, f"{name} no longer has {before!r}: change tests/alone/steps.py"
        (at / name).write_text(text)


def prune_the_pages(at: Path) -> None:
    """4. What shows the shop's code or commands; the README lists the pages that stay."""
    (at / "CHANGELOG.md").unlink()  # the service has its own history
    Pages(at, {command.split()[0] for command in commands.of_the_kit()}).prune()
    kept = sorted(page.relative_to(at) for page in at.glob("docs/**/*.md"))
    with (at / "README.md").open("a") as readme:
        readme.writelines(f"- [{page}]({page})\n" for page in kept)


STEPS: Final[Sequence[Callable[[Path], None]]] = (
    copy,
    remove_the_shop,
    put_the_service,
    name_the_service,
    prune_the_pages,
)

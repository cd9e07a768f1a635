"""The update of a whole service, rehearsed: ``python -m tests.template rehearsal``.

A service is made from the last release, in a clone of this repository. Before the first release
that is a tag of the tree as it stands. Its team adds an aggregate, a read model, a saga and a
route, and takes the next release: the tree as it stands, and some changes. Then its checks and its
fast tests run, and again with other adapters.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.code_names import ROOT
from tests.template.developed import Developed
from tests.template.releases import Releases, Service, committed, git

ANSWERS: Final = {"name": "Order Billing", "package": "billing", "aggregate": "invoice"}
PARTS: Final = (  # what the team adds with the command of its service
    "aggregate refund",
    "read-model open_refunds --follows refund",
    "saga refund_payout --starts RefundOpened --cancels RefundCancelled --step ConfirmRefund",
    "route refunds",
)
WRITTEN: Final = {
    "README.md": "\n## What the team has to say\n",
    "docs/glossary.md": "\n## Words of the team\n",
}
NEXT: Final = {  # what the next release changes in the reference
    "application/parking.py": "\n\nREHEARSED = True\n",
    "application/rehearsed.py": '"""A new module of the kit."""\n',
    "docs/architecture.md": "\n## Rehearsed\n\nA new section of the template.\n",
    "copier.yml": "\nrehearsed:\n  type: bool\n  default: true\n",
}
REPRINTED: Final = (".copier-answers.yml",)
"""What an update changes by rights, though the team may have, too."""


def rehearse(at: Path, *, adapters: bool) -> None:
    """Take the steps in this directory; those to other ``adapters``, if that is wanted.

    Raises ``AssertionError`` where one does not pass.
    """
    releases = Releases(at / "template")
    last = _cloned(releases.at)
    if last is None:
        _tag(releases, last := "v0.1.0", {})
    service = Service.made(releases, last, at / "service", **ANSWERS)
    theirs = _grow(service)
    print(f"made from {last}, and a team has worked in it", flush=True)

    _tag(releases, _after(last), NEXT)
    service.update()
    assert service.read("application/parking.py").endswith(NEXT["application/parking.py"])
    assert "application/rehearsed.py" in service.files()
    _settled(service, theirs, "updated")
    if not adapters:
        return

    service.update(bus="kafka", search="opensearch", payloads="s3")
    _settled(service, theirs, "with Kafka, OpenSearch and S3")
    service.update(bus="none", search="algolia", payloads="directory")
    _settled(service, theirs, "without Kafka and S3, and with Algolia in place of OpenSearch")


def _cloned(into: Path) -> str | None:
    """Clone this repository, with what is not committed yet; its last release, if there is one."""
    git(ROOT, "clone", "--quiet", str(ROOT), str(into))
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)
        else:
            (into / name).unlink(missing_ok=True)
    tags = git(into, "tag", "--list", "v*", "--sort=-version:refname").split()
    return tags[0] if tags else None


def _after(release: str) -> str:
    """The number of the next one: v0.2.0 after v0.1.3."""
    first, second, _ = release.split(".")
    return f"{first}.{int(second) + 1}.0"


def _tag(releases: Releases, tag: str, changes: Mapping[str, str]) -> None:
    """A release as docs/how-to/release.md has it: the template is built from the source."""
    for path, more in changes.items():
        with (releases.at / path).open("a") as page:
            page.write(more)
    built = (sys.executable, "-m", "tests.template", "build")
    own = {**os.environ, "PYTHONPATH": str(releases.at)}
    subprocess.run(built, cwd=releases.at, env=own, check=True)
    releases.release(tag)


def _grow(service: Service) -> Mapping[str, str]:
    """The team works; what it has written, by files."""
    _make(service, "reference")
    developed = Developed(service.at, ANSWERS["package"])
    for part in PARTS:
        developed.run(f".venv/bin/{ANSWERS['package']} add {part}")
    service.write(WRITTEN)
    changed = git(service.at, "diff", "--name-only", "HEAD~1").splitlines()
    return {path: service.read(path) for path in changed if path not in REPRINTED}


def _settled(service: Service, theirs: Mapping[str, str], what: str) -> None:
    """Nothing is in conflict, the team's work is as it was, and everything passes."""
    assert service.conflicts() == set(), service.conflicts()
    changed = [path for path, text in theirs.items() if service.read(path) != text]
    assert not changed, changed
    _make(service, "reference")
    _passes(service, what)


def _passes(service: Service, what: str) -> None:
    start = time.monotonic()
    committed(service.at, what)
    for target in ("check", "fast"):
        _make(service, target)
    print(f"{time.monotonic() - start:6.0f} s  {what}", flush=True)


def _make(service: Service, target: str) -> None:
    command = ("make", "--assume-old=.venv/.dev", f"BIN={Path(sys.executable).parent}", target)
    log = service.at.with_name(f"{target}.txt")
    with log.open("w") as output:
        done = subprocess.run(
            command,
            cwd=service.at,
            env=Developed(service.at, ANSWERS["package"]).environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=3600,
            check=False,
        )
    assert done.returncode == 0, f"make {target} has failed: {log}"

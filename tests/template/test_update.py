"""A service takes later releases of the template, and other answers, and keeps its team's work.

On a part of the template, by copier itself. ``make rehearsal`` does the same with all of it.
"""

import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.template.releases import Releases, Service, committed, git
from tests.template.whole import whole

_PART: Final = (
    *("README.md", "Makefile", "pyproject.toml", ".gitignore", "docs/glossary.md"),
    *("application/parking.py", "application/ports/", "infrastructure/settings/"),
    *("infrastructure/kafka/", "infrastructure/s3/", "infrastructure/kubernetes/"),
    *("infrastructure/opensearch/", "infrastructure/algolia/", "requirements/service.txt"),
)
ANSWERS: Final = {"name": "Order Billing", "package": "billing", "aggregate": "invoice"}
THEIRS: Final = {  # what a team writes: pages of its own, and lines in pages that are its own
    "domain/refunds.py": '"""An aggregate of the team."""\n',
    "application/billing/read_models/revenue.py": '"""A read model of the team."""\n',
    "application/billing/sagas/dunning.py": '"""A saga of the team."""\n',
    "infrastructure/billing/http/refunds.py": '"""A route of the team."""\n',
    "application/billing/service.py": "\n# the table has a line of the team\n",
    "infrastructure/billing/settings.py": "\n# a setting of the team\n",
    "domain/invoices.py": "\n# an event of the team\n",
    "README.md": "\nThe team's own words.\n",
    "pyproject.toml": "\n# a rule of the team\n",
}
NEXT: Final = {  # what the next release changes
    "application/parking.py": "\nNEXT = 2\n",
    "application/retention.py": '"""A new module of the kit."""\n',
    "docs/glossary.md": "\nA new word.\n",
    "README.md": "\nA new sentence of the template.\n",
    "domain/@@{ aggregates }@@.py": "\n# the example has changed\n",
}
TRACING: Final = "\ntracing:\n  type: bool\n  default: true\n"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """A repository with v0.1.0 and v0.2.0."""
    part = [one for one in whole() if one.path.startswith(_PART) or "@@" in one.path]
    releases = Releases.of(part, tmp_path_factory.mktemp("template"))
    releases.release("v0.1.0")
    releases.take(ANSWERS["package"], ANSWERS["aggregate"], "invoices")
    releases.release("v0.2.0", pages=NEXT, question=TRACING)
    return releases


@pytest.fixture(scope="module")
def made(releases: Releases, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A service of the first release, in which a team has worked."""
    at = tmp_path_factory.mktemp("services") / "made"
    service = Service.made(releases, "v0.1.0", at, **ANSWERS, search="opensearch", payloads="s3")
    service.write(THEIRS)
    return service


@pytest.fixture
def service(made: Service, tmp_path: Path) -> Service:
    """The same, for one test to update."""
    return Service(Path(shutil.copytree(made.at, tmp_path / "service")))


def test_an_update_brings_the_kit_and_leaves_the_team_alone(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kit has what is new, nothing is in conflict, and what the team wrote is as it was."""
    theirs = {path: service.read(path) for path in THEIRS}

    service.update()

    assert "It is made without" not in capsys.readouterr().err
    assert service.conflicts() == set()
    assert {path: service.read(path) for path in THEIRS} == theirs
    assert service.read("application/parking.py").endswith("\nNEXT = 2\n")
    assert "application/retention.py" in service.files()
    assert service.read("docs/glossary.md").endswith("\nA new word.\n")
    assert "_commit: v0.2.0\n" in service.read(".copier-answers.yml")
    assert "tracing: true\n" in service.read(".copier-answers.yml")


def test_a_service_keeps_a_name_that_a_release_takes(releases: Releases, service: Service) -> None:
    """The kit or a library of v0.2.0 may be called as a service of v0.1.0, or as its aggregate. A
    new service cannot have the name; the other one is updated."""
    with pytest.raises(ValueError, match="billing is taken"):
        Service.made(releases, "v0.2.0", service.at.with_name("new"), **ANSWERS)

    service.update()

    for kept in ("package: billing", "cli: billing", "aggregate: invoice", "aggregates: invoices"):
        assert f"{kept}\n" in service.read(".copier-answers.yml")


def test_what_a_team_has_deleted_stays_deleted(service: Service) -> None:
    """The first aggregate was an example: an update does not bring it back."""
    (service.at / "domain/invoices.py").unlink()
    (service.at / "docs/glossary.md").unlink()
    committed(service.at, "without the example")

    service.update()

    assert {"domain/invoices.py", "docs/glossary.md"} & {*service.files()} == set()
    assert service.conflicts() == set()


def test_an_edit_of_the_kit_is_a_conflict_and_not_a_loss(service: Service) -> None:
    """Where a team and the release change the same lines, git shows both."""
    service.write({"application/parking.py": "\nNEXT = 'of the team'\n"})

    service.update()

    assert service.conflicts() == {"application/parking.py"}
    text = service.read("application/parking.py")
    assert "NEXT = 'of the team'\n=======\nNEXT = 2\n>>>>>>>" in text


def test_other_answers_bring_and_take_adapters(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """One is added, one swapped, one dropped: folders, extras and pins follow, and no more. A
    message names those that are gone, since changes in their files are gone with them."""
    assert "kafka" not in _adapters(service)
    theirs = {path: service.read(path) for path in THEIRS if path != "pyproject.toml"}

    service.update(bus="kafka", search="algolia", payloads="directory")

    assert service.conflicts() == set()
    assert {"kafka", "algolia"} <= _adapters(service)
    assert {"opensearch", "s3"} & _adapters(service) == set()
    assert "It is made without S3, OpenSearch now" in capsys.readouterr().err
    pins = re.findall(r"^([a-z-]+)==", service.read("requirements/service.txt"), re.MULTILINE)
    assert {"confluent-kafka", "algoliasearch"} <= {*pins}
    assert {"opensearch-py", "obstore"} & {*pins} == set()
    assert {path: service.read(path) for path in theirs} == theirs
    assert service.read("pyproject.toml").endswith("\n# a rule of the team\n")


def _adapters(service: Service) -> set[str]:
    return {path.split("/")[1] for path in service.files() if path.startswith("infrastructure/")}


@pytest.mark.parametrize(
    ("answer", "value"),
    [("package", "invoicing"), ("cli", "bill"), ("aggregate", "receipt"), ("example", "none")],
)
def test_what_would_destroy_work_is_refused(made: Service, answer: str, value: str) -> None:
    """A rename deletes code under the old name. The answer is refused, and nothing is changed."""
    with pytest.raises(ValueError, match="keep it"):
        made.update(**{answer: value})

    assert git(made.at, "status", "--porcelain") == ""

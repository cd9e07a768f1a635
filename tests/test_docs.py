"""The documentation is true: links lead somewhere, and shown code is the code."""

import re
from datetime import date
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from types import ModuleType

import pytest

from tests.code_names import names_in, places_of
from tests.contracts.guarantees import suites
from tests.decisions import Decision, Relation, decisions
from tests.documentation import (
    PAGES,
    ROOMS,
    ROOT,
    anchors,
    commands_in,
    in_code,
    linked_names,
    links,
    name,
    prose,
    shown_code,
    spoken_in,
)
from tests.reference import (
    access,
    commands,
    contract,  # only: bus
    operations,
    settings,
    system_map,
)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file that exists, and a heading that stands in it."""
    for link in links(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)}: {link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{name(page)}: {link} names no heading"


def test_every_page_is_reached_from_the_readme() -> None:
    """Somebody who follows links from the README comes to every page of docs."""
    reached, following = set(), [ROOT / "README.md"]
    while following:
        page = following.pop()
        reached.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        following += [target for target in targets & {*PAGES} if target not in reached]

    assert [name(page) for page in ROOT.glob("docs/**/*.md") if page not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_shown_code_is_the_code(page: Path) -> None:
    """A block that says where it comes from stands there word for word."""
    for source, code in shown_code(page):
        assert code in (ROOT / source).read_text(), f"{name(page)}: {source} reads otherwise now"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_linked_name_is_defined_there(page: Path) -> None:
    """A link such as [`Stock.on_hand`](…/stock.py) names something that the file defines."""
    for linked, path in linked_names(page.read_text()):
        file = (page.parent / path).resolve()
        defined = names_in(file) if file.exists() else ()
        assert linked in defined, (
            f"{name(page)}: {path} does not define {linked}; "
            f"it is defined in {', '.join(places_of(linked)) or 'no file'}"
        )


def test_every_word_of_the_glossary_has_its_place_in_the_code() -> None:
    """Each row of the glossary links a name; the words of one table differ."""
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|(.+)$", (ROOT / "docs/glossary.md").read_text(), re.M)
    words = [word for word, _ in rows]
    assert len(words) > 40
    assert len(set(words)) == len(words)
    for word, row in rows:
        assert linked_names(row), word


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_use_plain_words(page: Path) -> None:
    """Prose says request, returns, reports and the subject, as CONTRIBUTING asks for."""
    if page.name == "CONTRIBUTING.md":
        return  # it has bad examples
    found = re.findall(r"\b(wish|wishes|whoever|told|tells)\b", prose(page), re.IGNORECASE)
    assert found == [], name(page)


def test_docstrings_and_comments_use_plain_words() -> None:
    """The same in the source: what code returns, raises and reports, and the subject by name."""
    words = re.compile(r"\b(wish|wishes|whoever|told|tells|nobody|somebody|is none that)\b", re.I)
    sources = [
        file
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        if "tests" not in file.relative_to(ROOT).parts
    ]
    assert len(sources) > 200
    found = {
        name(file): spoken
        for file in sources
        if words.search(file.read_text())
        if (spoken := [line for line in spoken_in(file) if words.search(line)])
    }
    assert found == {}


def test_every_decision_is_in_the_index() -> None:
    """The table of decisions has a row for each page, with its title, status and date."""
    rows = re.findall(r"^\| \[\d+\].+$", (ROOT / "docs/adr/README.md").read_text(), re.MULTILINE)

    assert rows == [decision.row for decision in decisions().values()]


@pytest.mark.parametrize("decision", decisions().values(), ids=lambda decision: decision.number)
def test_every_decision_has_a_status_and_a_date(decision: Decision) -> None:
    """A decision is proposed, accepted or superseded (entirely or for something), since a day."""
    assert re.match(r"(proposed|accepted|superseded)\b", decision.status), decision.file
    assert date.fromisoformat(decision.date), decision.file


@pytest.mark.parametrize("decision", decisions().values(), ids=lambda decision: decision.number)
def test_every_decision_says_why_and_what_follows(decision: Decision) -> None:
    """A page has its context, the decision, and the consequences."""
    page = (ROOT / "docs/adr" / decision.file).read_text()
    for part in ("**Context.**", "**Decided.**", "**Follows.**"):
        assert part in page, f"{decision.file} lacks {part}"


@pytest.mark.parametrize("decision", decisions().values(), ids=lambda decision: decision.number)
def test_decisions_name_each_other(decision: Decision) -> None:
    """What supersedes or amends another is named by that other in return, and in its status."""
    known = decisions()
    for relation in decision.relations:
        assert relation.decision in known, f"{decision.file}: there is no {relation.decision}"
        other = known[relation.decision]
        assert Relation(relation.returned, decision.number) in other.relations, (
            f"{other.file} lacks: - **{relation.returned}**: [{decision.number}]({decision.file})"
        )
    superseded = any(relation.kind == "Superseded by" for relation in decision.relations)
    assert superseded == ("superseded" in decision.status), decision.file


def test_the_guarantees_are_those_of_the_contracts() -> None:
    """The page has a row for every test of every contract, in its words, and none besides."""
    rows = re.findall(r"^\| (?!\[test\])(.+?) \| ", (ROOT / "docs/guarantees.md").read_text(), re.M)

    assert rows == [rule for suite in suites() for rule in suite.rules.values()]


@pytest.mark.parametrize(
    "page", [access, commands, settings], ids=["access", "commands", "settings"]
)
def test_the_references_are_those_of_the_source(page: ModuleType) -> None:
    """The reference says of every route, command and setting what the source says of it."""
    file = ROOT / f"docs/reference/{page.__name__.rpartition('.')[2]}.md"

    assert file.read_text() == page.page(), f"{name(file)} is not current: run `make reference`"


# only: bus
def test_the_contract_is_that_of_the_declarations() -> None:
    """The committed document is what the command ``bus contract`` prints where nothing is set."""
    kept = (ROOT / "docs/reference/asyncapi.json").read_text()

    assert kept == contract.page(), "asyncapi.json is not current: run `make reference`"


# end: bus
def test_the_map_is_that_of_the_declarations() -> None:
    """The committed picture is what the command ``map --svg`` prints."""
    kept = (ROOT / "docs/reference/system-map.svg").read_text()

    assert kept == system_map.page(), "system-map.svg is not current: run `make reference`"


@pytest.mark.parametrize("file", operations.FILES)
def test_alerts_and_dashboard_are_those_of_the_service(file: str) -> None:
    """The committed files are those that the command ``monitoring`` prints."""
    kept = (ROOT / "docs/operations" / file).read_text()

    assert kept == operations.FILES[file], f"{file} is not current: run `make reference`"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    """``headwater sagas show ID --json``: there is such a command, and it has such an option."""
    known = commands.options()
    for line in in_code(page):
        for words in map(str.split, commands_in(line)):
            of_group = any(command.startswith(f"{words[0]} ") for command in known)
            names = takewhile(re.compile("[a-z-]+$").match, words[: 2 if of_group else 1])
            command = " ".join(names)
            assert command in known, f"{name(page)}: there is no `headwater {command}`"
            options = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert options <= {*known[command]}, f"{name(page)}: `headwater {command}`"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    """``make bench`` is in the Makefile."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in in_code(page):
        assert {*re.findall(r"\bmake ([a-z-]+)", line)} <= {*targets}, f"{name(page)}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_and_module_that_a_page_names_exists(page: Path) -> None:
    """`tests/contracts/` and ``python -m tests.contracts.guarantees`` are there, links apart."""
    for line in in_code(page):
        for path in re.findall(
            r"^(?:domain|application|infrastructure|tests|docs)/[\w./-]+$", line
        ):
            assert (ROOT / path).exists(), f"{name(page)}: there is no {path}"
        for module in re.findall(r"python -m (tests[\w.]+)", line):
            assert find_spec(module), f"{name(page)}: there is no {module}"


def test_every_option_and_every_setting_is_described() -> None:
    """No row of the references lacks its meaning."""
    lines = [*commands.page().splitlines(), *settings.page().splitlines()]
    options = [line for line in lines if re.match(r"\* `", line)]
    rows = [line for line in lines if re.match(r"\| `[A-Z]", line)]
    assert len(options) > 20
    assert len(rows) > 5

    assert [option for option in options if not re.search(r"`: .", option)] == []
    assert [row for row in rows if row.endswith("|  |")] == []

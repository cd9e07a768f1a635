"""What each adapter keeps of its contract, printed by the contract suites as a page.

    python -m tests.contracts.guarantees > docs/guarantees.md

Runs the suites, and exits with their exit code. A row is a test, in the words of its docstring; a
column is an adapter.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import pytest

# only: reference
from tests.contracts import recorded_run

# end: reference
TESTS: Final = Path(__file__).parents[1]
HOMES: Final = (
    # of the suites
    "contracts",
    "shop/contracts",  # only: shop
)
# Fixtures that choose one.
_ADAPTERS: Final = (
    "stores",
    "lasting",
    "payloads",
    "views",
    "books",
    "outside",  # only: shop
    "tried",
    "checkpoints",
    "leases",
    "keys",
    "written",
    "searching",
    "guarded",
    "engine",  # only: search
    "bus",  # only: bus
    "case",
)
_WORDS: Final = {"passed": "✓", "skipped": "not run", "failed": "**no**"}

_HEAD: Final = """# Guarantees

*Reference.* What every adapter of a port promises, test by test. The contract suites print this
page: `python -m tests.contracts.guarantees > docs/guarantees.md`. Each row is a test, with its name
and its rule; each column is an adapter.

✓: the test passed when this page was printed. *not run*: the adapter needs a server that was not
there ([which, and how to have it](how-to/run-the-servers.md)). *Real* is the server itself. A
*double* is a stand-in, and proves no more than that the code works with the stand-in.
"""
# only: algolia
_RECORDED: Final = """
- *Recorded*, of Algolia, is a stand-in written from the maker's own documentation. The adapter has
  never run against Algolia itself.
"""
# end: algolia
# only: reference
_ONCE: Final = f"""
- {recorded_run.SENTENCE} [What else has run on a real server, and what it found](real-server.md).
"""
# end: reference
# only: eventstoredb
_EVENTSTOREDB: Final = """
- The real EventStoreDB needs Docker, or its address in `EVENTSTOREDB_URI`. On it, a repeated append
  changes nothing because each append names an exact version, which this port requires. With any
  version, the server would write the same events again once it has forgotten their ids: after a
  restart, a fail-over or some 40,000 other events.
"""
# end: eventstoredb
# only: postgres_events
_POSTGRES: Final = """
- PostgreSQL differs in two things by design. It returns the same JSON as was appended (`jsonb`),
  possibly with its keys in another order, where other stores return the same bytes. And it refuses
  an event id that is used in any other stream, where others compare ids within the stream only.
"""
# end: postgres_events
_PARAGRAPHS: Final = (
    # before the suites
    _HEAD,
    _RECORDED,  # only: algolia
    _ONCE,  # only: reference
    _EVENTSTOREDB,  # only: eventstoredb
    _POSTGRES,  # only: postgres_events
)


class Suite:
    """One contract: the file with its tests."""

    def __init__(self, path: Path) -> None:
        self.path, self._tree = path, ast.parse(path.read_text())

    @property
    def title(self) -> str:
        """The port: ``EventStore`` of ``The contract of ``EventStore``.``"""
        return (ast.get_docstring(self._tree) or "").partition("\n")[0].replace("``", "`")

    @property
    def rules(self) -> Mapping[str, str]:
        """The rule of every test, by its name, which the rule begins with."""
        own = {
            node.name: _sentence(node.name)
            + " ".join((ast.get_docstring(node) or "").replace("``", "`").split())
            for node in self._tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test_")
        }
        return {**self._laws, **own}

    @property
    def _laws(self) -> Mapping[str, str]:
        """Those that it shares with other suites: ``from tests.contracts.… import *``."""
        laws: dict[str, str] = {}
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                laws |= Suite(TESTS.parent / f"{str(node.module).replace('.', '/')}.py").rules
        return laws


def _sentence(name: str) -> str:
    """``test_consumers_compete`` → ``**Consumers compete.** ``"""
    return f"**{name.removeprefix('test_').replace('_', ' ').capitalize()}.** "


def suites() -> Sequence[Suite]:
    """All contracts of ports."""
    found = [Suite(path) for home in HOMES for path in sorted((TESTS / home).glob("test_*.py"))]
    return [suite for suite in found if suite.title.startswith("The contract of `")]


class Outcomes:
    """A pytest plugin that records the outcome of every test on every adapter."""

    def __init__(self) -> None:
        self._adapters: dict[str, str] = {}  # by the id of the test
        self._found: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            spec = getattr(item, "callspec", None)
            for fixture in _ADAPTERS:
                if spec and fixture in spec.params:
                    self._adapters[item.nodeid] = spec.params[fixture]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown" or (report.when == "setup" and report.passed):
            return
        file, _, test = report.nodeid.partition("[")[0].rpartition("::")
        adapters = self._found[Path(file).name, test]
        adapter = self._adapters.get(report.nodeid, "")
        if adapters.get(adapter) != "failed":  # one case that fails is enough
            adapters[adapter] = report.outcome

    def of(self, suite: Suite, test: str) -> Mapping[str, str]:
        """By adapter: passed, failed or skipped."""
        return self._found[suite.path.name, test]


def page(outcomes: Outcomes) -> Iterator[str]:
    """The lines of the page."""
    yield "".join(_PARAGRAPHS)
    for suite in suites():
        found = {test: outcomes.of(suite, test) for test in suite.rules}
        adapters = list(dict.fromkeys(name for by in found.values() for name in by))
        yield f"## {suite.title.removesuffix('.').removeprefix('The contract of ')}\n"
        path = suite.path.relative_to(TESTS.parent)
        yield f"| [test](../{path}) | {' | '.join(adapters)} |"
        yield "|---" * (len(adapters) + 1) + "|"
        for test, rule in suite.rules.items():
            cells = [_WORDS.get(found[test].get(name, ""), "") for name in adapters]
            # only: reference
            file, by = suite.path.name, found[test]
            cells = [cell(file, test, name, by.get(name, "")) for name in adapters]
            # end: reference
            yield f"| {rule} | {' | '.join(cells)} |"
        yield ""


# only: reference
def cell(suite: str, test: str, adapter: str, outcome: str) -> str:
    """What is not run now may have passed at an earlier commit, and says so."""
    before = adapter == recorded_run.ADAPTER and recorded_run.passed(suite, test)
    return recorded_run.CELL if outcome == "skipped" and before else _WORDS.get(outcome, "")


# end: reference
def main() -> int:
    outcomes = Outcomes()
    with redirect_stdout(sys.stderr):
        code = pytest.main(["-q", *(str(suite.path) for suite in suites())], plugins=[outcomes])
    print("\n".join(page(outcomes)).rstrip())
    return code


if __name__ == "__main__":
    sys.exit(main())

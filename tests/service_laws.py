"""What every service has tests and documentation of: a suite that is run on one program.

Whoever adds a part and forgets what belongs to it is told what to add, and which command to run.
"""

import ast
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from application.sagas import operating
from infrastructure.http import commands, reading
from infrastructure.http.problems import documented
from infrastructure.program import Program
from tests.contracts.golden_corpus import Corpus
from tests.contracts.saga_corpus import SagaCorpus
from tests.histories import Histories

__all__ = [
    "test_every_aggregate_has_examples_for_the_laws",
    "test_every_event_belongs_to_a_golden_corpus",
    "test_every_reaction_has_a_test",
    "test_every_read_model_has_a_specification",
    "test_every_route_documents_its_errors",
    "test_every_saga_has_recorded_histories",
    "test_no_route_runs_in_a_thread",
]

ROOT = Path(__file__).parents[1]
NEEDED = (
    (
        commands.command_request,
        "documented(*COMMAND_ERRORS)",
        documented(*commands.COMMAND_ERRORS),
    ),
    (reading.reader, "answers()", reading.answers()),
)
"""What a route depends on, the responses that it then has, and their statuses."""
T = TypeVar("T")


@dataclass(frozen=True)
class Tested:
    """A program, and the package of its tests."""

    program: Program[Any]
    tests: str

    def modules(self, mention: str) -> Iterator[tuple[ModuleType, ast.Module]]:
        """The modules of the package whose text has that."""
        for file in sorted((ROOT / self.tests.replace(".", "/")).rglob("*.py")):
            if mention in (text := file.read_text()):
                name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                yield import_module(name), ast.parse(text)

    def declared(self, kind: type[T]) -> Iterator[T]:
        """All of that kind that are globals of a module of the package."""
        for module, _ in self.modules(f"{kind.__name__}("):
            yield from (value for value in vars(module).values() if isinstance(value, kind))


def of(program: Program[Any], tests: str) -> Callable[[pytest.Metafunc], None]:
    """Runs each law on the program, whose tests are in that package."""

    def generate(metafunc: pytest.Metafunc) -> None:
        if "tested" in metafunc.fixturenames:
            tested = Tested(program, tests)
            metafunc.parametrize("tested", [tested], ids=[program.service.name])

    return generate


def test_every_aggregate_has_examples_for_the_laws(tested: Tested) -> None:
    """The laws of deciders run on each category that takes commands, but on sagas."""
    covered = {c.name for histories in tested.declared(Histories) for c in histories.categories}
    for category in tested.program.service.categories:
        decides = category.commands and category.decider is not operating.decider
        assert not decides or category.name in covered, (
            f"no law covers {category.name}: add its examples to the Histories of {tested.tests}, "
            f"and its page to pytest_generate_tests of the module that imports decider_laws"
        )


def test_every_event_belongs_to_a_golden_corpus(tested: Tested) -> None:
    """Each category is one of a corpus, whose own laws ask for a sample of each event."""
    corpora = [*tested.declared(Corpus)]
    covered = {category.name for corpus in corpora for category in corpus.categories}
    module = corpora[0].module if corpora else f"{tested.tests}.event_samples"
    for category in tested.program.service.categories:
        assert category.name in covered, (
            f"the events of {category.name} are in no golden corpus: "
            f"add the category to {module}, with samples, then: python -m {module}"
        )


def test_every_read_model_has_a_specification(tested: Tested) -> None:
    """A ``ProjectionSpecification`` delivers duplicates, and restarts at every point."""
    specified = {*_specified(tested)}
    for projection in tested.program.service.projections:
        assert projection.name in specified, (
            f"{projection.name} is not specified: write a test in {tested.tests} with "
            f"ProjectionSpecification(…, {projection.name}).given(…).then(…)"
        )


def test_every_saga_has_recorded_histories(tested: Tested) -> None:
    """Each saga has stories in a corpus, whose own laws ask for a history of each version."""
    corpora = [*tested.declared(SagaCorpus)]
    told = {name for corpus in corpora for name in corpus.stories}
    module = corpora[0].module if corpora else f"{tested.tests}.saga_histories"
    for name in tested.program.service.versions:
        assert name in told, (
            f"{name} has no recorded history: add its stories to the SagaCorpus of {module}, "
            f"then: python -m {module}"
        )


def test_every_reaction_has_a_test(tested: Tested) -> None:
    """Some module of tests imports from the module of each reaction."""
    for reaction in tested.program.service.reactions:
        home = reaction.handler.__module__
        users = [module for module, tree in tested.modules(home) if home in _imported(tree)]
        assert any(module.__name__.rpartition(".")[2].startswith("test_") for module in users), (
            f"no test of {tested.tests} imports {home}: write one that lets {reaction.name} "
            "handle its events, each of them twice"
        )


def test_every_route_documents_its_errors(tested: Tested) -> None:
    """A command documents COMMAND_ERRORS, and a question what ``answers()`` has."""
    for router in tested.program.routes():
        for route in (one for one in router.routes if isinstance(one, APIRoute)):
            for call, responses, statuses in NEEDED:
                if call in _calls(route.dependant):
                    lacking = sorted({*map(str, statuses)} - {*map(str, route.responses)})
                    assert not lacking, (
                        f"{route.path} does not document {', '.join(lacking)}: "
                        f"declare {route.name} with responses={responses}"
                    )


def test_no_route_runs_in_a_thread(tested: Tested) -> None:
    """Routes and what they depend on are coroutines: a thread costs more than most of them do."""
    for router in tested.program.routes():
        for route in (one for one in router.routes if isinstance(one, APIRoute)):
            for call in (route.endpoint, *_calls(route.dependant)):
                assert iscoroutinefunction(call), f"declare {call} of {route.path} with `async def`"


def _specified(tested: Tested) -> Iterator[str]:
    """The name of each projection that is given to a ``ProjectionSpecification``."""
    for module, tree in tested.modules("ProjectionSpecification("):
        for node in ast.walk(tree):
            match node:
                case ast.Call(ast.Name("ProjectionSpecification"), [_, ast.Name(name), *_]):
                    projection = getattr(module, name, None)
                    yield getattr(projection, "name", name)


def _imported(tree: ast.Module) -> Collection[str]:
    nodes = list(ast.walk(tree))
    whole = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    parts = {
        f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return whole | parts


def _calls(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)

"""A new saga: its page, its recorded histories, and its line in the table."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.decider import Command, Event
from infrastructure.cli.adding import scopes
from infrastructure.cli.adding.checkout import Draft
from infrastructure.cli.adding.commands_given import fact_of
from infrastructure.cli.adding.existing import Existing, fields, origins
from infrastructure.cli.adding.forms import pages
from infrastructure.cli.adding.inserting import Place, into, with_imports
from infrastructure.cli.adding.names import Name
from infrastructure.cli.adding.scopes import Function, SagaParts
from infrastructure.cli.process import UsageError

REASON = "reason[:200]"  # the longest that a Text may be


def draft(
    existing: Existing,
    name: str,
    starts: str,
    cancels: str,
    steps: Sequence[str],
    undo: str | None,
) -> Draft:
    """All files that change. Raises :class:`UsageError`, and ``CommandFailed`` if one is taken."""
    one = Name.read(name, "name of a saga")
    if one.snake in existing.taken():
        raise UsageError(f"{one.snake} is there already: choose another name")
    parts = _parts(existing, starts, cancels, steps, undo)
    if one.snake in {function.name for function in parts.functions}:
        raise UsageError(f"a step is called {one.words}, too: choose another name for the saga")
    made, package = Draft(existing.checkout), existing.checkout.package
    corpus = scopes.of_tests(corpus=existing.declared_in_tests("Corpus"))
    scope = {**scopes.of_service(package), **corpus, **scopes.of_saga(one, parts)}
    for path, text in pages("saga", scope).items():
        made.write(path, text)
    table = f"application/{package}/service.py"
    statement = f"from application.{package}.sagas.{one.snake} import {one.snake}"
    place = Place(table, "Service", "sagas")
    made.edit(table, lambda text: with_imports(into(text, place, one.snake), statement))
    if (found := existing.declared_in_tests("SagaCorpus")) is None:
        for path, text in pages("sagas", scope).items():
            made.write(path, text)
    else:
        _story(made, found[0], package, one, parts, scope)
    return made


def _parts(
    existing: Existing, starts: str, cancels: str, steps: Sequence[str], undo: str | None
) -> SagaParts:
    started, of = existing.event(starts)
    cancelled, also = existing.event(cancels)
    if of is not also or started is cancelled:
        raise UsageError(
            f"{starts} and {cancels} have to be two events of one aggregate: "
            f"{of.name} has {', '.join(event.__name__ for event in of.events)}"
        )
    functions: list[Function] = []
    does: dict[str, Sequence[str]] = {}
    for text in steps:
        act, _, undoes = (word.strip() for word in text.partition("/"))
        step = _word(existing, act)
        if step.words in does:
            raise UsageError(f"two steps are called {step.words}: one step gives one command")
        does_step = step.function(_owner(existing, act))
        functions.append(_function(existing, started, act, does_step))
        does[step.words] = (does_step,)
        if undoes:
            undo_step = f"undo_{step.snake}"
            functions.append(_function(existing, started, undoes, undo_step, undoes=True))
            does[step.words] = (does_step, undo_step)
    if undo:
        functions.append(_function(existing, started, undo, "undo_begin", undoes=True))
    last, _ = existing.command(functions_acting(functions)[-1].command)
    known = fields(started)
    facts = {
        field: known[field]
        for one in functions
        for field, value in one.arguments.items()
        if value == f"facts.{field}" and field != "id"
    }
    kinds: Sequence[type[Any]] = [
        started,
        cancelled,
        *(existing.command(one.command)[0] for one in functions),
    ]
    return SagaParts(
        starts,
        cancels,
        facts,
        does,
        "undo_begin" if undo else None,
        functions,
        _imports(kinds, started, facts),
        (last.__module__, last.__name__),
    )


def functions_acting(functions: Sequence[Function]) -> Sequence[Function]:
    """Those that do something, and do not undo it."""
    return [one for one in functions if not one.undoes]


def _word(existing: Existing, command: str) -> Name:
    return fact_of(Name(_owner(existing, command)), command)


def _owner(existing: Existing, command: str) -> str:
    """The aggregate that has the command."""
    _, category = existing.command(command)
    return category.name


def _function(
    existing: Existing, started: type[Event], command: str, name: str, *, undoes: bool = False
) -> Function:
    kind, _ = existing.command(command)
    return Function(name, command, _arguments(kind, started, undoes=undoes), undoes)


def _arguments(kind: type[Command], started: type[Event], *, undoes: bool) -> Mapping[str, str]:
    known, arguments = fields(started), {}
    for field in fields(kind, required=True):
        if undoes and field == "reason":
            arguments[field] = REASON
        elif field in known or field == "id":
            arguments[field] = f"facts.{field}"
        else:
            raise UsageError(
                f"{kind.__name__} needs {field!r}, which {started.__name__} does not have: "
                "name another command, and change the page of the saga afterwards"
            )
    return arguments


def _imports(
    kinds: Sequence[type[Any]], started: type[Event], facts: Mapping[str, str]
) -> scopes.Names:
    found: dict[str, set[str]] = {}
    for kind in kinds:
        found.setdefault(kind.__module__, set()).add(kind.__name__)
    for module, names in origins(started, facts.values()).items():
        found.setdefault(module, set()).update(names)
    return found


def _story(
    made: Draft, page: str, package: str, one: Name, parts: SagaParts, scope: Mapping[str, Any]
) -> None:
    corpus, home = scope["SOME_CORPUS"], scope["some_corpus_module"]
    entry = (
        f"{one.snake}.name: stories(PROGRAM, {one.snake}, "
        f'started={corpus}.sample("{parts.starts}"), '
        f'cancelled={corpus}.sample("{parts.cancels}"), refused={parts.last[1]})'
    )
    place = Place(page, "SagaCorpus", "stories", 3)
    made.edit(
        page,
        lambda text: with_imports(
            into(text, place, entry),
            f"from application.{package}.sagas.{one.snake} import {one.snake}",
            f"from {parts.last[0]} import {parts.last[1]}",
            f"from infrastructure.{package}.program import PROGRAM",
            "from tests.application.sagas.recording import stories",
            f"from {home} import {corpus}",
        ),
    )

"""What the forms are filled with: the names of each part, as scopes of :mod:`.forms`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from infrastructure.cli.adding.commands_given import TYPES, Given, new_to_the_kit
from infrastructure.cli.adding.forms import Scope
from infrastructure.cli.adding.names import Name


def of_service(package: str) -> Scope:
    """The placeholders of the service itself."""
    name = Name(package)
    return {
        "some_service": package,
        "SOME_SERVICE": name.upper,
        "SomeService": name.pascal,
        "SOME_CORPUS": "CORPUS",
        "SOME_HISTORIES": "HISTORIES",
        "some_corpus_module": f"tests.{package}.event_samples",
        "some_histories_module": f"tests.{package}.histories",
    }


def of_tests(
    corpus: tuple[str, str] | None = None, histories: tuple[str, str] | None = None
) -> Scope:
    """Where the tests of the service have these: their pages, and their names there."""
    found: dict[str, str] = {}
    if corpus:
        found |= {"some_corpus_module": _module(corpus[0]), "SOME_CORPUS": corpus[1]}
    if histories:
        found |= {"some_histories_module": _module(histories[0]), "SOME_HISTORIES": histories[1]}
    return found


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def of_aggregate(aggregate: Name, plural: Name, given: Sequence[Given]) -> Scope:
    """Of an aggregate: the first command begins a stream, the last of several ends it."""
    first, last, several = given[0], given[-1], len(given) > 1
    fields = dict(chain.from_iterable(one.fields.items() for one in given))
    drawn = new_to_the_kit(fields)
    types = {*fields.values()}
    each = [_command(one, first, last if several else None) for one in given]
    return {
        "some_aggregate": aggregate.snake,
        "some_aggregates": plural.snake,
        "some aggregate": aggregate.words,
        "some aggregates": plural.words,
        "SomeAggregate": aggregate.pascal,
        "SOME_AGGREGATE": aggregate.upper,
        "SomeTypes": ", ".join(sorted(types - {"int", "bool"})),
        "SomeFirstEvent": first.event,
        "SomeFirstCommand": first.command,
        "SomeLastEvent": last.event,
        "SomeLastCommand": last.command,
        "SomeBeginning": first.fact.pascal,
        "SomeEnding": last.fact.pascal,
        "some_beginning": first.attribute,
        "some_ending": last.attribute,
        "SOME_BEGINNING": first.constants[1],
        "SOME_ENDING": last.constants[1],
        "types": bool(types - {"int", "bool"}),
        "money": "Money" in types,
        "texts": bool({"Name", "Text"} & {*drawn.values()}),
        "ids": "Id" in drawn.values(),
        "drawn": bool({"Money", "int", "bool"} & {*drawn.values()}),
        "several": several,
        "middles": len(given) > 2,
        "first has fields": bool(first.fields),
        "refuses": bool(first.fields) or len(given) > 2,
        "each command": each,
        "each middle": each[1:-1],
        "each later": each[1:],
        "each new field": [
            {"some_field": name, "some_strategy": TYPES[type].drawn} for name, type in drawn.items()
        ],
    }


def _command(one: Given, first: Given, last: Given | None) -> dict[str, Any]:
    return {
        "SomeCommand": one.command,
        "SomeEvent": one.event,
        "some_event": one.attribute,
        "some_fact": one.fact.snake,
        "SOME_COMMAND": one.constants[0],
        "SOME_EVENT": one.constants[1],
        "some_arguments": ", ".join(f"{name}=command.{name}" for name in one.fields),
        "some_samples": one.values(0),
        "some_other_samples": one.values(1),
        "some_example": one.example,
        "begins": one is first,
        "middle": one is not first and one is not last,
        "ends": one is last,
        "fields": bool(one.fields),
        "each field": [{"some_field": name, "SomeType": type} for name, type in one.fields.items()],
    }


@dataclass(frozen=True)
class Followed:
    """An aggregate as a read model follows it: where its events are, and the word for each."""

    category: str
    constant: str
    module: str
    union: str | None
    events: Mapping[str, str]


def of_read_model(name: Name, view: str, followed: Sequence[Followed]) -> Scope:
    """Of a read model that follows these."""
    events = [
        {"SomeEvent": event, "some fact": word, "some_aggregate": one.category}
        for one in followed
        for event, word in one.events.items()
    ]
    return {
        "some_read_model": name.snake,
        "SomeView": view,
        "some subject": " and ".join(one.category.replace("_", " ") for one in followed),
        "SOME_FOLLOWED": "".join(f"{one.constant}," for one in followed),
        "SomeEvents": " | ".join(one.union or " | ".join(one.events) for one in followed),
        "SOME_VERSION": len(followed[-1].events) - 1,
        "some ending": events[-1]["some fact"],
        "each event": events,
        "each aggregate": [
            {
                "SOME_AGGREGATE": one.constant,
                "some_module": one.module,
                "SomeAggregateEvent": one.union,
                "union": bool(one.union),
                "each event": [{"SomeEvent": event} for event in one.events],
            }
            for one in followed
        ],
    }


Names = Mapping[str, Collection[str]]
"""Names by the modules that they are imported from."""


def _imports(names: Names) -> Sequence[Scope]:
    return [
        {"some_module": module, "each name": [{"SomeName": one} for one in sorted(of)]}
        for module, of in sorted(names.items())
    ]


@dataclass(frozen=True)
class Function:
    """A function of a saga: the command that it asks for, and the arguments of that."""

    name: str
    command: str
    arguments: Mapping[str, str]
    undoes: bool = False

    def parameters(self, facts: str) -> str:
        """What it is given; the reason only where its command has one."""
        reason = "reason: str" if "reason" in self.arguments else "_: str"
        return f"facts: {facts}, {reason}" if self.undoes else f"facts: {facts}"


@dataclass(frozen=True)
class SagaParts:
    """A saga as its page declares it."""

    starts: str
    cancels: str
    facts: Mapping[str, str]  # fields of the event that starts it, and their types
    steps: Mapping[str, Sequence[str]]  # the functions of each
    begin_undo: str | None
    functions: Sequence[Function]
    imports: Names
    last: tuple[str, str]  # the module and the class of the last command


def of_saga(name: Name, parts: SagaParts) -> Scope:
    """Of a saga of these parts."""
    return {
        "some_saga": name.snake,
        "SomeFacts": f"{name.pascal}Facts",
        "SomeStart": parts.starts,
        "SomeCancel": parts.cancels,
        "SomeLastCommand": parts.last[1],
        "some_module": parts.last[0],
        "begin": bool(parts.begin_undo),
        "some_begin_undo": parts.begin_undo,
        "some_last_step": [*parts.steps][-1],
        "each module": _imports(parts.imports),
        "each fact": [{"some_field": one, "SomeType": type} for one, type in parts.facts.items()],
        "each step": [
            {"some_step": ", ".join((f'"{step}"', *does))} for step, does in parts.steps.items()
        ],
        "each function": [
            {
                "some_function": one.name,
                "SomeCommand": one.command,
                "some_parameters": one.parameters(f"{name.pascal}Facts"),
                "some_arguments": _arguments(one.arguments),
            }
            for one in parts.functions
        ],
    }


@dataclass(frozen=True)
class Queried:
    """A read model as a route asks it."""

    name: str
    module: str
    view: str
    view_module: str
    filters: Sequence[str]
    listed: bool
    versioned: bool


@dataclass(frozen=True)
class Commanded:
    """A command as a route takes it."""

    command: str
    path: Name
    function: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class RouteParts:
    """The routes of one path."""

    category: str | None
    commands: Sequence[Commanded]
    missing: str | None
    read_model: Queried | None
    imports: Names
    imports_of_test: Names


def of_route(name: Name, parts: RouteParts) -> Scope:
    """Of the routes below one path."""
    asked = parts.read_model
    return {
        "some_routes": name.snake,
        "some-routes": name.kebab,
        "some routes": name.words,
        "SomePage": f"{name.pascal}Page",
        "some_aggregate": parts.category,
        "SomeMissing": parts.missing,
        "SomeView": asked and asked.view,
        "some_read_model": asked and asked.name,
        "missing": bool(parts.missing),
        "commands": bool(parts.commands),
        "bodies": any(one.fields for one in parts.commands),
        "reads": bool(asked),
        "lists": bool(asked and asked.listed),
        "versioned": bool(asked and asked.versioned),
        "responds": bool(parts.commands or (asked and asked.versioned)),
        "each filter": [{"some_field": one} for one in (asked.filters if asked else ())],
        "each module": _imports(parts.imports),
        "each test module": _imports(parts.imports_of_test),
        "each command": [
            {
                "SomeCommand": one.command,
                "some_command": one.function,
                "some-command": one.path.kebab,
                "SomeBody": f"{one.path.pascal}Body",
                "some_arguments": _arguments({field: f"body.{field}" for field in one.fields}),
                "some_parameters": f"id: AnId, {_body(one)}request: Requested, response: Response",
                "fields": bool(one.fields),
                "each field": [
                    {"some_field": field, "SomeType": type} for field, type in one.fields.items()
                ],
            }
            for one in parts.commands
        ],
    }


def _arguments(arguments: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())


def _body(one: Commanded) -> str:
    return f"body: {one.path.pascal}Body, " if one.fields else ""

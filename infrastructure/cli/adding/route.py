"""New routes: the commands of an aggregate, the queries of a read model, and their test."""

from typing import Any, Final

from application.category import Category
from application.projections.projection import Projection
from infrastructure.cli.adding import scopes
from infrastructure.cli.adding.checkout import Draft
from infrastructure.cli.adding.commands_given import fact_of
from infrastructure.cli.adding.existing import Existing, fields, missing, origins
from infrastructure.cli.adding.forms import pages
from infrastructure.cli.adding.inserting import with_route
from infrastructure.cli.adding.names import Name
from infrastructure.cli.adding.scopes import Commanded, Queried, RouteParts
from infrastructure.cli.process import UsageError

_OF_THE_KIT: Final = frozenset({"console", "docs", "health", "metrics"})


def draft(existing: Existing, name: str, aggregate: str | None, read_model: str | None) -> Draft:
    """All files that change. Raises :class:`UsageError`, and ``CommandFailed`` if one is taken."""
    one = Name.read(name, "path of routes")
    if one.snake in _OF_THE_KIT:
        raise UsageError(f"/{one.kebab} is a path of the kit: choose another name")
    category = existing.category(aggregate) if aggregate else None
    asked = existing.read_model(read_model) if read_model else None
    if category is None and asked is None:
        category = _of_that_name(existing, one)
        asked = next((of for of in existing.service.projections if of.follows == (category,)), None)
    made, package = Draft(existing.checkout), existing.checkout.package
    parts = _parts(existing, category, asked)
    tests = scopes.of_tests(histories=existing.declared_in_tests("Histories"))
    scope = {**scopes.of_service(package), **tests, **scopes.of_route(one, parts)}
    for path, text in pages("route", scope).items():
        made.write(path, text)
    program = f"infrastructure/{package}/program.py"
    made.edit(program, lambda text: with_route(text, program, package, one.snake))
    return made


def _of_that_name(existing: Existing, one: Name) -> Category:
    for category in existing.service.categories:
        if one.snake in (category.name, Name(category.name).plural.snake):
            return category
    names = ", ".join(category.name for category in existing.service.categories)
    raise UsageError(
        f"no aggregate is called {one.words}: name one with --aggregate, a read model with "
        f"--read-model, or both. There is {names or 'none: add one first'}"
    )


def _parts(
    existing: Existing, category: Category | None, asked: Projection[Any] | None
) -> RouteParts:
    imports: dict[str, set[str]] = {}
    of_test: dict[str, set[str]] = {}
    commands: list[Commanded] = []
    for kind in category.commands if category else ():
        needed = fields(kind, required=True)
        of = category.name if category else ""
        path = fact_of(Name(of), kind.__name__)
        commands.append(Commanded(kind.__name__, path, path.function(of), needed))
        for known in (imports, of_test):
            _add(known, kind.__module__, kind.__name__)
        for module, names in origins(kind, needed.values()).items():
            _add(imports, module, *names)
    refusal = missing(category) if category else None
    if category and refusal:
        _add(imports, category.events[0].__module__, refusal)
    queried = _queried(existing, asked) if asked else None
    if queried:
        _add(imports, queried.module, queried.name)
        _add(imports, queried.view_module, queried.view)
    name = category.name if category else None
    return RouteParts(name, commands, refusal, queried, imports, of_test)


def _add(imports: dict[str, set[str]], module: str, *names: str) -> None:
    imports.setdefault(module, set()).update(names)


def _queried(existing: Existing, asked: Projection[Any]) -> Queried:
    module, name = existing.home(asked)
    known = asked.view.model_fields
    return Queried(
        name,
        module,
        asked.view.__name__,
        asked.view.__module__,
        [field for field in asked.indexed if known[field].annotation is str],
        asked.listed,
        "version" in known,
    )

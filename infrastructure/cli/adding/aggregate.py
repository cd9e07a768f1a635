"""A new aggregate: its page, its tests, its samples, and its line in each table."""

from collections.abc import Sequence

from infrastructure.cli.adding import commands_given, scopes
from infrastructure.cli.adding.checkout import Draft
from infrastructure.cli.adding.commands_given import TYPES, Given, new_to_the_kit
from infrastructure.cli.adding.existing import Existing
from infrastructure.cli.adding.forms import pages
from infrastructure.cli.adding.inserting import (
    Place,
    after,
    has_list,
    into,
    with_imports,
    with_module,
)
from infrastructure.cli.adding.names import Name
from infrastructure.cli.process import UsageError


def draft(existing: Existing, name: str, plural: str | None, commands: Sequence[str]) -> Draft:
    """All files that change. Raises :class:`UsageError`, and ``CommandFailed`` if one is taken."""
    one = Name.read(name, "name of an aggregate")
    many = Name.read(plural, "plural") if plural else one.plural
    given = commands_given.read(one, commands or commands_given.DEFAULT)
    _require_new(existing, one, given)
    made = Draft(existing.checkout)
    package = existing.checkout.package
    scope = {**scopes.of_service(package), **scopes.of_aggregate(one, many, given)}
    for path, text in pages("aggregate", scope).items():
        made.write(path, text)
    _tables(made, package, one, many)
    if existing.declared_in_tests("Corpus") is None:
        for path, text in pages("aggregates", scope).items():
            made.write(path, text)
    else:
        _samples(made, existing, one, many, given)
        _histories(made, existing, one, many, given)
        _laws(made, existing, many)
    return made


def _require_new(existing: Existing, one: Name, given: Sequence[Given]) -> None:
    if one.snake in {
        *existing.taken(),
        existing.checkout.package,
    }:  # the service is a constant, too
        raise UsageError(f"{one.snake} is there already: choose another name")
    classes = {name for of in given for name in (of.command, of.event)}
    if doubles := sorted(classes & {*existing.classes()}):
        raise UsageError(f"{', '.join(doubles)} is there already: choose other commands and events")


def _tables(made: Draft, package: str, one: Name, many: Name) -> None:
    page, home = f"application/{package}/aggregates.py", f"domain.{many.snake}"
    command, event = f"{one.pascal}Command", f"{one.pascal}Event"
    line = (
        f'{one.upper}: Final = Category.of("{one.snake}", {many.snake}.decider, {command}, {event})'
    )
    made.edit(
        page,
        lambda text: with_imports(
            after(text, "Category.of", line),
            "from typing import Final",
            "from application.category import Category",
            f"from domain import {many.snake}",
            f"from {home} import {command}, {event}",
        ),
    )
    table = f"application/{package}/service.py"
    constant = f"from application.{package}.aggregates import {one.upper}"
    place = Place(table, "Service", "categories")
    made.edit(table, lambda text: with_imports(into(text, place, one.upper), constant))
    made.edit("pyproject.toml", lambda text: with_module(text, package, home))


def _samples(
    made: Draft, existing: Existing, one: Name, many: Name, given: Sequence[Given]
) -> None:
    page, _ = existing.declared_in_tests("Corpus") or ("", "")
    samples = Place(page, "Corpus", "samples", 4)
    for of in given:
        sample = f"{of.event}({of.values(0)})"
        made.edit(page, lambda text, sample=sample: into(text, samples, sample))  # type: ignore[misc]
    events = ", ".join(of.event for of in given)
    imports = [f"from domain.{many.snake} import {events}"]
    if any("Money" in of.fields.values() for of in given):
        imports.append("from domain.values import Money")
    categories = Place(page, "Corpus", "categories", 3)
    if has_list(made.text(page), categories):
        made.edit(page, lambda text: into(text, categories, one.upper))
        package = existing.checkout.package
        imports.append(f"from application.{package}.aggregates import {one.upper}")
    made.edit(page, lambda text: with_imports(text, *imports))


def _histories(
    made: Draft, existing: Existing, one: Name, many: Name, given: Sequence[Given]
) -> None:
    page, _ = existing.declared_in_tests("Histories") or (
        f"tests/{existing.checkout.package}/histories.py",
        "",
    )
    drawn = new_to_the_kit({name: type for of in given for name, type in of.fields.items()})
    imports = {"from tests.histories import example"}
    for field, type in drawn.items():
        strategy = TYPES[type].drawn
        if f'"{field}"' in made.text(page):
            _require_same(made.text(page), page, field, strategy)
            continue
        entry = f'"{field}": {strategy}'
        place = Place(page, "Histories", "fields", 1)
        made.edit(page, lambda text, place=place, entry=entry: into(text, place, entry))  # type: ignore[misc]
        imports |= _imports(strategy)
    life = "".join(f"example({of.example})," for of in given)
    examples = Place(page, "Histories", "examples", 2)
    made.edit(page, lambda text: into(text, examples, f'"{one.snake}": [[{life}],]'))
    commands = ", ".join(of.command for of in given)
    imports.add(f"from domain.{many.snake} import {commands}")
    made.edit(page, lambda text: with_imports(text, *sorted(imports)))


def _require_same(text: str, page: str, field: str, strategy: str) -> None:
    if f'"{field}": {strategy}' not in text:
        raise UsageError(
            f"a field {field!r} of another type is drawn in {page}: give the new field another name"
        )


def _imports(strategy: str) -> set[str]:
    if strategy.startswith("st."):
        found = {"from hypothesis import strategies as st"}
        return found | ({"from domain.values import Money"} if "Money" in strategy else set())
    return {f"from tests.histories import {strategy}"}


def _laws(made: Draft, existing: Existing, many: Name) -> None:
    package = existing.checkout.package
    page = existing.page_of_tests("from tests.domain.decider_laws import of") or (
        f"tests/{package}/domain/test_laws.py"
    )
    place = Place(page, "of", "pages", 1)
    made.edit(
        page,
        lambda text: with_imports(
            into(text, place, f"({many.snake}, test_{many.snake})"),
            f"from domain import {many.snake}",
            f"from tests.{package}.domain import test_{many.snake}",
        ),
    )

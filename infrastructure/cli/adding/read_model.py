"""A new read model: its page, its test, and its line in the table."""

from collections.abc import Sequence

from application.category import Category
from infrastructure.cli.adding import scopes
from infrastructure.cli.adding.checkout import Draft
from infrastructure.cli.adding.commands_given import fact_of
from infrastructure.cli.adding.existing import Existing, union
from infrastructure.cli.adding.forms import pages
from infrastructure.cli.adding.inserting import Place, into, with_imports
from infrastructure.cli.adding.names import Name
from infrastructure.cli.adding.scopes import Followed
from infrastructure.cli.process import UsageError


def draft(existing: Existing, name: str, follows: Sequence[str], view: str | None) -> Draft:
    """All files that change. Raises :class:`UsageError`, and ``CommandFailed`` if one is taken."""
    one = Name.read(name, "name of a read model")
    if one.snake in existing.taken():
        raise UsageError(f"{one.snake} is there already: choose another name")
    shown = Name.read(view, "name of a view").pascal if view else _view(existing, one)
    if shown in existing.classes():
        raise UsageError(f"{shown} is there already: choose another name with --view")
    followed = [_followed(existing, existing.category(of)) for of in dict.fromkeys(follows)]
    made, package = Draft(existing.checkout), existing.checkout.package
    corpus = scopes.of_tests(corpus=existing.declared_in_tests("Corpus"))
    names = scopes.of_read_model(one, shown, followed)
    scope = {**scopes.of_service(package), **corpus, **names}
    for path, text in pages("read_model", scope).items():
        made.write(path, text)
    table = f"application/{package}/service.py"
    statement = f"from application.{package}.read_models.{one.snake} import {one.snake}"
    place = Place(table, "Service", "projections")
    made.edit(table, lambda text: with_imports(into(text, place, one.snake), statement))
    return made


def _view(existing: Existing, one: Name) -> str:
    """Named as the read model, unless something else is."""
    return f"{one.pascal}View" if one.pascal in existing.classes() else one.pascal


def _followed(existing: Existing, category: Category) -> Followed:
    _, constant = existing.home(category)
    aggregate = Name(category.name)
    return Followed(
        category.name,
        constant,
        category.events[0].__module__,
        union(category),
        {event.__name__: fact_of(aggregate, event.__name__).words for event in category.events},
    )

"""What a service has: found in the modules that its program has imported, and in its tests."""

import ast
import builtins
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

from application.category import Category
from application.projections.projection import Projection
from application.service import Service
from domain.decider import Command, Event, Missing
from infrastructure.cli.adding.checkout import Checkout
from infrastructure.cli.process import UsageError
from infrastructure.processes import CommandFailed

T = TypeVar("T")


@dataclass(frozen=True)
class Existing:
    """A service and its checkout. Each of its parts is found by name, or refused as unknown."""

    service: Service[Any]
    checkout: Checkout

    def category(self, name: str) -> Category:
        """Raises :class:`UsageError`."""
        known = {category.name: category for category in self.service.categories}
        return _named(known, name.lower().replace("-", "_"), "an aggregate")

    def event(self, name: str) -> tuple[type[Event], Category]:
        """An event, and whose it is. Raises :class:`UsageError`."""
        return _named(dict(self._members("events")), name, "an event")

    def command(self, name: str) -> tuple[type[Command], Category]:
        """A command, and whose it is. Raises :class:`UsageError`."""
        return _named(dict(self._members("commands")), name, "a command")

    def read_model(self, name: str) -> Projection[Any]:
        """Raises :class:`UsageError`."""
        known = {one.name: one for one in self.service.projections}
        return _named(known, name.replace("-", "_"), "a read model")

    def _members(self, kind: str) -> Iterator[tuple[str, tuple[Any, Category]]]:
        for category in self.service.categories:
            for one in getattr(category, kind):
                yield one.__name__, (one, category)

    def taken(self) -> Collection[str]:
        """The names that categories, read models, sagas and consumer groups have."""
        categories = (category.name for category in self.service.catalogue.categories)
        projections = (one.name for one in self.service.projections)
        return {*categories, *projections, *self.service.groups}

    def classes(self) -> Collection[str]:
        """The names of all events, commands and views."""
        categories = self.service.categories
        made = chain(*(one.events for one in categories), *(one.commands for one in categories))
        views = (one.view for one in self.service.projections)
        return {kind.__name__ for kind in (*made, *views)}

    def home(self, value: object) -> tuple[str, str]:
        """The module that declares a value as a global, and its name there."""
        inside = (f"application.{self.checkout.package}", "domain.")
        for module_name, module in sorted(sys.modules.items(), key=lambda one: -len(one[0])):
            if module_name.startswith(inside):
                for name, found in vars(module).items():
                    if found is value and _declares(module, name):
                        return module_name, name
        raise CommandFailed(f"no module of {inside[0]} declares {value!r}")

    def declared_in_tests(self, call: str) -> tuple[str, str] | None:
        """The page of tests that makes such a thing, and its name; None if there is none."""
        root = self.checkout.root
        for file in sorted((root / "tests" / self.checkout.package).rglob("*.py")):
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.Assign | ast.AnnAssign) and _calls(node.value, call):
                    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                    return str(file.relative_to(root)), ast.unparse(target)
        return None

    def page_of_tests(self, mention: str) -> str | None:
        """The first page of the service's tests that has that text."""
        root = self.checkout.root
        for file in sorted((root / "tests" / self.checkout.package).rglob("*.py")):
            if mention in file.read_text():
                return str(file.relative_to(root))
        return None


def union(category: Category) -> str | None:
    """How the union of its events is called on its page; None where it has one event."""
    module = sys.modules[category.events[0].__module__]
    for name, value in vars(module).items():
        if {*get_args(value)} == {*category.events}:
            return name
    return None


def missing(category: Category) -> str | None:
    """The one refusal of its page that says that there is no such thing."""
    module = sys.modules[category.events[0].__module__]
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type)]
    own = [kind for kind in kinds if kind.__module__ == module.__name__]
    found = [kind.__name__ for kind in own if issubclass(kind, Missing)]
    return found[0] if len(found) == 1 else None


def fields(model: type[BaseModel], *, required: bool = False) -> Mapping[str, str]:
    """Its fields, and the type of each as it is written."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if kind.__module__ in sys.modules and issubclass(kind, BaseModel):
            found |= dict(_annotations(kind))
    known = model.model_fields
    return {
        name: text
        for name, text in found.items()
        if name in known and (known[name].is_required() or not required)
    }


def origins(model: type[BaseModel], texts: Iterable[str]) -> Mapping[str, Collection[str]]:
    """From where the names in these types are imported: names by module."""
    words = {
        node.id
        for text in texts
        for node in ast.walk(ast.parse(text, mode="eval"))
        if isinstance(node, ast.Name) and not hasattr(builtins, node.id)
    }
    found: dict[str, set[str]] = {}
    imported = dict(_imported(_tree(model)))
    for word in words:
        found.setdefault(imported.get(word, model.__module__), set()).add(word)
    return found


def _annotations(kind: type) -> Iterator[tuple[str, str]]:
    if not getattr(sys.modules[kind.__module__], "__file__", None):
        return
    for node in _tree(kind).body:
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
            for one in node.body:
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                    yield one.target.id, ast.unparse(one.annotation)


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((one.asname or one.name, node.module) for one in node.names)


def _tree(kind: type) -> ast.Module:
    return ast.parse(Path(str(sys.modules[kind.__module__].__file__)).read_text())


def _declares(module: Any, name: str) -> bool:
    tree = ast.parse(Path(str(module.__file__)).read_text())
    assigned = (node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign))
    return any(
        name in ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        for node in assigned
    )


def _calls(value: ast.expr | None, name: str) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).partition("[")[0] == name


def _named(known: Mapping[str, T], name: str, what: str) -> T:
    if name not in known:
        there = ", ".join(sorted(known)) or f"none: add {what} first"
        raise UsageError(f"{name!r} is not {what} of this service, which has {there}")
    return known[name]

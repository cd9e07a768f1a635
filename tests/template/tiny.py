"""The service of the example *tiny*, and the empty one of *none*: made from the forms of ``add``.

`files` gives their pages for any names. :mod:`tests.template.in_the_template` gives them with
expressions of the answers in place of names.
"""

from collections.abc import Mapping
from typing import Any

from infrastructure.cli.adding import commands_given, scopes
from infrastructure.cli.adding.forms import pages
from infrastructure.cli.adding.names import Name
from infrastructure.cli.adding.scopes import (
    Commanded,
    Followed,
    Function,
    Queried,
    RouteParts,
    SagaParts,
)


def files(
    *, tiny: bool, package: str = "some_service", aggregate: str = "some_aggregate"
) -> Mapping[str, str]:
    """The pages by their paths: of the whole example, or of an empty service."""
    one, many = Name(aggregate), Name(aggregate).plural
    service = {**scopes.of_service(package), "tiny": tiny}
    if not tiny:
        return {
            path: text
            for path, text in pages("service", {**service, **_named(one, many)}).items()
            if not path.endswith("first_start.py")
        }
    given = commands_given.read(one, commands_given.DEFAULT)
    aggregate_scope = {**service, **_named(one, many), **scopes.of_aggregate(one, many, given)}
    home = f"domain.{many.snake}"
    events = {of.event: of.fact.words for of in given}
    followed = Followed(one.snake, one.upper, home, f"{one.pascal}Event", events)
    summary, saga = Name(f"{one.snake}_summary"), Name(f"{one.snake}_confirmation")
    read_model = scopes.of_read_model(summary, summary.pascal, [followed])
    made = {**pages("service", aggregate_scope), **pages("aggregate", aggregate_scope)}
    made.update(pages("aggregates", aggregate_scope))
    made.update(pages("read_model", {**service, **read_model}))
    saga_scope = {**service, **scopes.of_saga(saga, _confirmation(one, home))}
    made.update({**pages("saga", saga_scope), **pages("sagas", saga_scope)})
    route = scopes.of_route(many, _route(one, home, package))
    return {**made, **pages("route", {**service, **route})}


def _named(one: Name, many: Name) -> Mapping[str, Any]:
    return {
        "some_aggregate": one.snake,
        "some_aggregates": many.snake,
        "some aggregate": one.words,
        "some aggregates": many.words,
        "SomeAggregate": one.pascal,
        "SOME_AGGREGATE": one.upper,
        "some_read_model": f"{one.snake}_summary",
        "some_saga": f"{one.snake}_confirmation",
        "some_routes": many.snake,
        "some-routes": many.kebab,
    }


def _confirmation(one: Name, home: str) -> SagaParts:
    """Whatever was opened is confirmed; it is cancelled if that is refused."""
    opened, confirm, cancel = f"{one.pascal}Opened", f"Confirm{one.pascal}", f"Cancel{one.pascal}"
    return SagaParts(
        starts=opened,
        cancels=f"{one.pascal}Cancelled",
        facts={},
        steps={"confirm": ("confirm",)},
        begin_undo="cancel",
        functions=[
            Function("confirm", confirm, {}),
            Function("cancel", cancel, {"reason": "reason[:200]"}, undoes=True),
        ],
        imports={home: {opened, f"{one.pascal}Cancelled", confirm, cancel}},
        last=(home, confirm),
    )


def _route(one: Name, home: str, package: str) -> RouteParts:
    classes = {act: f"{act.capitalize()}{one.pascal}" for act in ("open", "confirm", "cancel")}
    fields = {"open": {"name": "Name"}, "confirm": {}, "cancel": {"reason": "Text"}}
    summary = f"{one.snake}_summary"
    page = f"application.{package}.read_models.{summary}"
    view = f"{one.pascal}Summary"
    missing = f"Unknown{one.pascal}"
    return RouteParts(
        category=one.snake,
        commands=[Commanded(classes[act], Name(act), act, fields[act]) for act in classes],
        missing=missing,
        read_model=Queried(summary, page, view, page, ["status"], listed=True, versioned=True),
        imports={
            home: {*classes.values(), missing},
            page: {view, summary},
            "domain.values": {"Name", "Text"},
        },
        imports_of_test={home: {*classes.values()}},
    )

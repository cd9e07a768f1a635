"""The forms in which a command prints data: for people, as JSON with ``--json``, as CSV with
``--csv``.

A command with a parameter ``json`` also gets ``--csv`` without a word of its own. It prints its
data by :func:`say_data`, in the form of the option.
"""

import csv
import inspect
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import wraps
from typing import Annotated, Any, Final, cast

import typer

from infrastructure.cli.printing import say, say_json
from infrastructure.visible import not_a_formula, visible

Csv = Annotated[
    bool, typer.Option("--csv", help="As CSV: a header, then a line for each item of the list.")
]
_OFFERED: Final = "offers_csv"


class _Table:
    """What is printed as CSV by one command: the header comes once."""

    def __init__(self) -> None:
        self._columns: Sequence[str] = ()

    def print(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
        if not self._columns:
            named = dict.fromkeys(name for row in rows for name in row)
            self._columns = list(dict.fromkeys([*columns, *named]))
            if self._columns:
                say(_line(self._columns))
        for row in rows:
            say(_line([cell(row.get(name)) for name in self._columns]))


_csv_of_now: ContextVar[_Table | None] = ContextVar("CSV, if that is the form", default=None)


def say_data(
    document: object,
    *,
    items: str | None = None,
    columns: Sequence[str] = (),
    indent: int | None = 2,
) -> None:
    """Print a document in the form of the option; without ``indent``, JSON on one line.

    For CSV: ``items`` is the name of the list in it that is wanted, and ``columns`` are those that
    the header has also when the list is empty.
    """
    table = _csv_of_now.get()
    if table is None:
        say_json(document, indent)
    else:
        table.print(rows_of(document, items), columns)
        if items and (after := cast("dict[str, Any]", document).get("after")):
            say(f"there are more: --after {after}", err=True)


def offer_csv(app: typer.Typer) -> None:
    """Let each command of ``app`` that has ``--json`` also have ``--csv``. Safe to repeat."""
    for command in app.registered_commands:
        if command.callback:
            command.callback = _with_csv(command.callback)
    for group in app.registered_groups:
        if group.typer_instance:
            offer_csv(group.typer_instance)


def _with_csv(command: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(command)
    if "json" not in signature.parameters or hasattr(command, _OFFERED):
        return command

    @wraps(command)
    def run(*arguments: Any, csv: bool, **options: Any) -> Any:
        if csv and options["json"]:
            raise typer.BadParameter("--json and --csv are two forms: choose one")
        before = _csv_of_now.set(_Table() if csv else None)
        try:
            return command(*arguments, **{**options, "json": options["json"] or csv})
        finally:
            _csv_of_now.reset(before)

    option = inspect.Parameter("csv", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Csv)
    parameters = [*signature.parameters.values(), option]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {**command.__annotations__, "csv": Csv}
    setattr(run, _OFFERED, True)
    return run


def rows_of(document: Any, items: str | None = None) -> Sequence[Mapping[str, Any]]:
    """The items of the list that is the document, or is in it by that name; else itself."""
    if items is not None:
        document = document[items]
    return document if isinstance(document, list) else [document]


def cell(value: object) -> str:
    """A value in one cell: what JSON shows, without quotes; nothing for null."""
    match value:
        case None:
            return ""
        case str():
            return visible(not_a_formula(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()

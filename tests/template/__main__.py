"""``python -m tests.template``: makes the template, and services from it."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from tests.code_names import ROOT
from tests.template import cells, matrix, rehearsal, taken, tutorial
from tests.template.build import build, stale
from tests.template.complaints import complaints
from tests.template.conditions import both
from tests.template.leftovers import leftovers
from tests.template.markers import InvalidMarker
from tests.template.service import render
from tests.template.whole import whole

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Into = Annotated[Path, typer.Option(help="The folder that is made; what it held is gone.")]
Data = Annotated[list[str], typer.Option("-d", "--data", help="ANSWER=VALUE, any number of times.")]


@app.command("build")
def build_template(into: Into = ROOT / "template") -> None:
    """Make the template."""
    build(whole(), into)


@app.command()
def check() -> None:
    """Print what some service would have and must not, and whether `template/` is stale; exit
    code 1 for either.
    """
    entries = whole()
    found = [*complaints(entries)]
    if (ROOT / "template").exists() and (old := [*stale(entries, ROOT / "template")]):
        found += [*old, "template/ is stale: run `python -m tests.template build`"]
    if found:
        print(*found, sep="\n")
        raise typer.Exit(1)


@app.command()
def service(into: Into, data: Data = []) -> None:  # noqa: B006 - typer reads it
    """Make one service from the working tree as it stands."""
    render(into, answers(data))


@app.command()
def belongs(paths: Annotated[list[str], typer.Argument()] = []) -> None:  # noqa: B006 - as above
    """Print the files under these paths, and what each belongs to."""
    for entry in whole():
        if any(entry.path.startswith(path) for path in paths or [""]):
            print(f"{both(entry.conditions) or '-':<30} {entry.path}")


@app.command("leftovers")
def print_leftovers(data: Data = []) -> None:  # noqa: B006 - typer reads it
    """Print what such a service has left over of what it was made without."""
    with tempfile.TemporaryDirectory(prefix="service-") as scratch:
        known = render(Path(scratch), answers(data))
        found = [*leftovers(Path(scratch), known)]
    print(*found, sep="\n")
    print(f"{len(found)} lines in {len({line.partition(':')[0] for line in found})} files")


@app.command("matrix")
def run_matrix(
    names: Annotated[list[str], typer.Argument(help="Some of the services alone.")] = [],  # noqa: B006
    into: Annotated[Path | None, typer.Option(help="Where the services are made.")] = None,
    shared: Annotated[bool, typer.Option(help="Use the packages of this environment.")] = False,
    fast: Annotated[bool, typer.Option(help="Run the fast tests alone in each.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Only list the services.")] = False,
) -> None:
    """Make services with all pairs of answers, and have each check itself."""
    chosen = cells.named(names)
    if listed:
        for cell in chosen:
            print(cell.name, *(f"-d {name}={value}" for name, value in cell.answers.items()))
    elif not matrix.run(chosen, matrix.kept_in(into), shared=shared, fast=fast):
        raise typer.Exit(1)


@app.command("rehearsal")
def rehearse(
    into: Annotated[Path | None, typer.Option(help="Where it is rehearsed, and stays.")] = None,
    adapters: Annotated[bool, typer.Option(help="And to other adapters.")] = True,
) -> None:
    """Take a service, in which a team has worked, to the next release."""
    rehearsal.rehearse(matrix.kept_in(into), adapters=adapters)


@app.command("tutorial")
def take_tutorial() -> None:
    """Take the steps of docs/your-own-service.md, and fill an empty service."""
    with tempfile.TemporaryDirectory(prefix="tutorial-") as scratch:
        for steps in (tutorial.take, tutorial.fill):
            steps(Path(scratch))


@app.command("taken")
def print_taken() -> None:
    """Print the names anew that a service cannot have."""
    taken.FILE.write_text(taken.page())


def answers(data: list[str]) -> Mapping[str, Any]:
    """``-d bus=kafka -d console=no`` as answers."""
    return {name: yaml.safe_load(value) for name, _, value in (one.partition("=") for one in data)}


if __name__ == "__main__":
    try:
        app()
    except InvalidMarker as error:
        sys.exit(str(error))

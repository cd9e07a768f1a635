"""``headwater map``: the service as it is declared, as text or as a picture."""

from typing import Annotated

import typer

from infrastructure.cli.printing import say_file
from infrastructure.cli.process import clear_errors, program


def show(
    context: typer.Context,
    svg: Annotated[bool, typer.Option("--svg", help="A picture, for any page.")] = False,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="A flowchart, for pages that draw Mermaid.")
    ] = False,
) -> None:
    """Print the map of the service: its commands and events, and what reads each event.

    It is made of the declaration, and needs no server.
    """
    with clear_errors():
        from application.system_map import system_map
        from infrastructure import system_map as drawn

        if svg and mermaid:
            raise typer.BadParameter("--svg and --mermaid are two forms: choose one")
        form = drawn.picture if svg else drawn.mermaid if mermaid else drawn.text
        say_file(form(system_map(program(context).service)))

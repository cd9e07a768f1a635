"""``headwater links``: have EventStoreDB link events to their categories again."""

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
Have EventStoreDB link events to their categories again.

Consumer groups read the links that the server's own projection `$by_category` makes. Works on the
service that runs in the same home, or on the server that is set.
""",
)


@app.callback()
def links() -> None:
    """Has one command so far, which is named all the same."""


@app.command()
def repair(context: typer.Context) -> None:
    """Have `$by_category` link every event; one that runs is left alone.

    It is enabled when it is off. When it is at fault, the stream `$ce-…` that others have written
    to is deleted and the projection reset: it writes all links anew, and consumer groups get all
    events again, which changes nothing.
    """
    with clear_errors():
        from infrastructure.cli.repairing import repair_links

        until_done(repair_links(deployed(context)))

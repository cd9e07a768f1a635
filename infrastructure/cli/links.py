"""``headwater links``: repair the links by which EventStoreDB groups events into categories."""

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
Repair the links by which EventStoreDB groups events into categories.

Consumer groups read the links that the server's own projection `$by_category` writes. Works on the
service that runs in the same home, or on the server that is set.
""",
)


@app.callback()
def links() -> None:
    """Makes typer require the name of the command, although there is only one."""


@app.command()
def repair(context: typer.Context) -> None:
    """Make the projection `$by_category` run; one that runs is left alone.

    A disabled projection is enabled. If it is faulted, because another client has written to a
    stream `$ce-…`, that stream is deleted and the projection is reset. It then writes all links
    again. Consumer groups get all events again, and handle none of them twice.
    """
    with clear_errors():
        from infrastructure.cli.repairing import repair_links

        until_done(repair_links(deployed(context)))

"""``headwater bus``: what the service publishes to other systems, and receives from them."""

from typing import Annotated

import typer

from infrastructure.cli.process import clear_errors, deployed, until_done

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
Show what the service publishes to other systems, and what it receives from them.
""",
)

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command()
def contract(context: typer.Context) -> None:
    """Print the contract with other systems, as an AsyncAPI 3.0 document in JSON.

    It has the topics, and for each version of each integration event its headers and the JSON
    Schema of its data. It needs neither a bus nor another server.
    """
    with clear_errors():
        from infrastructure import asyncapi
        from infrastructure.cli.printing import say_json

        deployment = deployed(context)
        prefix = deployment.settings.kafka_prefix
        say_json(asyncapi.document(deployment.program, prefix=prefix))


@app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """Show how far the events are on the bus, what they lack, and what keeps them."""
    with clear_errors():
        from infrastructure.cli.bus_status import print_status

        until_done(print_status(deployed(context), json=json))


@app.command()
def replay(
    context: typer.Context,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="WHERE",
            help="The position of the first event that is published, a time "
            "(`2026-01-31T12:30:00Z`), `start`, or `end`: only what comes after now.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what it would publish.")
    ] = False,
    by: Annotated[
        str | None, typer.Option(help="Your name; unset: the user of this process.", metavar="NAME")
    ] = None,
) -> None:
    """Publish events again, from a place in the log on.

    The records have the same ids as before, by which receivers recognise them. The forwarder need
    not be stopped: it goes on from there.
    """
    with clear_errors():
        from infrastructure.cli.bus_replay import move

        until_done(move(deployed(context), start, by, dry_run=dry_run))


@app.command()
def topics(
    context: typer.Context,
    create: Annotated[
        bool, typer.Option("--create", help="Create those that are missing.")
    ] = False,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Of a new topic; unset: the broker's default.")
    ] = None,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Of a new topic; unset: the broker's default.")
    ] = None,
    json: Json = False,
) -> None:
    """List the topics to which the service publishes. Exit code 1 when one is missing.

    More partitions later would change the partition of a key: choose enough of them at first.
    """
    with clear_errors():
        from infrastructure.cli.bus_topics import print_topics

        until_done(
            print_topics(
                deployed(context),
                create=create,
                partitions=partitions,
                replication=replication,
                json=json,
            )
        )

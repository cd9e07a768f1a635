"""The command line of a program. Each command imports what it needs when it runs."""

import gc
import sys
from typing import Annotated, Any, Literal

import typer

from infrastructure.cli import (
    add,
    bus,  # only: bus
    embedded_node,  # only: eventstoredb and embedded
    events,
    keys,
    links,  # only: eventstoredb
    parked,
    payloads,
    personal_data,
    projections,
    sagas,
    serving,
    system_map,
)
from infrastructure.cli.access import require_rules
from infrastructure.cli.forms import offer_csv, say_data
from infrastructure.cli.printing import say
from infrastructure.cli.process import (
    UsageError,
    clear_errors,
    deployed,
    name_service,
    prepare_process,
    program,
    until_done,
)
from infrastructure.program import Program

_ABOUT = """
`{0} run` starts everything: the service, and a server for each that is not set, if it can.

Settings come from the environment or a `.env` file; `{0} settings` lists them.
"""


def main(of: Program[Any]) -> None:
    """Run one command. Exit code 1: it failed; 2: an argument or a setting is wrong."""
    gc.disable()  # until the command runs: importing leaves no garbage, and much to look through
    try:
        sys.argv[1:] = prepare_process(sys.argv[1:])
    except UsageError as error:
        say(f"{of.service.name}: {error}", err=True)
        sys.exit(2)
    command_line(of)()


def command_line(of: Program[Any]) -> typer.Typer:
    """The commands of the kit and those of this program."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"], "obj": of},
        callback=name_service,
        help=f"\n{of.about}\n{_ABOUT.format(of.service.name)}",
    )
    for group in (
        add,
        events,
        projections,
        links,  # only: eventstoredb
        parked,
        sagas,
        payloads,
        keys,
        bus,  # only: bus
    ):
        app.add_typer(group.app, name=group.__name__.rpartition(".")[2])
    for command in (
        serving.run,
        serving.serve,
        migrate,
        embedded_node.node,  # only: eventstoredb and embedded
        stream,
        events.streams,
        events.history,
        events.trace,
        events.audit_trail,
        doctor,
        personal_data.forget,
        personal_data.export,
        monitoring,
    ):
        app.command()(command)
    app.command("settings")(list_settings)
    app.command("rotate-master-key")(personal_data.rotate_master_key)
    app.command("map")(system_map.show)
    for process_of_run in (serving.part, serving.greet):
        app.command(hidden=True)(process_of_run)
    of.commands(app)
    require_rules(app, of.command_rules)
    offer_csv(app)
    return app


def migrate(
    context: typer.Context,
    # only: dynamodb
    printed: Annotated[
        Literal["cloudformation", "policy"] | None,
        typer.Option(
            "--print",
            help="Change nothing: print what makes the tables in DynamoDB, or the IAM policy for "
            "the role of the service.",
        ),
    ] = None,
    # end: dynamodb
) -> None:
    """Make the tables of the stores, and bring them up to this release.

    The command can be repeated, and may run in several processes at once. A service brings the
    tables of a database up to date when it starts, too, if its role there may.
    """
    with clear_errors():
        # only: dynamodb
        if printed:
            from infrastructure.cli.tables import show

            show(deployed(context), printed)
            return
        # end: dynamodb
        from infrastructure.cli.migrating import migrate as bring_up_to_date

        until_done(bring_up_to_date(deployed(context)))


def list_settings(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the settings. Each is an environment variable, or a line in a `.env` file."""
    model = program(context).settings
    if json:
        say_data(
            [
                {
                    "name": model.name_of(name),
                    "description": model.description_of(name),
                    "default": None if field.default is None else str(field.default),
                }
                for name, field in model.model_fields.items()
            ]
        )
        return
    for name, field in model.model_fields.items():
        default = f" ({field.default})" if field.default else ""
        say(f"{model.name_of(name)}: {model.description_of(name)}{default}")


def stream(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="`CATEGORY-ID`, or another that the store has.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON, one object per line.")] = False,
    backwards: Annotated[bool, typer.Option("--backwards", help="Newest first.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000_000, help="At most this many events.")
    ] = None,
) -> None:
    """Print the events of a stream: what happened, when, and by whom."""
    with clear_errors():
        from infrastructure.cli.streams import print_stream

        until_done(
            print_stream(deployed(context), name, json=json, backwards=backwards, limit=limit)
        )


def doctor(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List the damaged streams. Commands on a damaged stream are refused.

    A stream is damaged when some of its events are gone: the service cannot remove events, but
    operators and server policies can. Exit code 1 when there are any.
    """
    with clear_errors():
        from infrastructure.cli.doctor import examine

        until_done(examine(deployed(context), json=json))


def monitoring(
    context: typer.Context,
    what: Annotated[
        Literal["alerts", "dashboard"],
        typer.Argument(help="Rules for Prometheus, or a dashboard for Grafana."),
    ],
) -> None:
    """Print the alert rules for Prometheus or the dashboard for Grafana."""
    with clear_errors():
        from infrastructure import monitoring
        from infrastructure.cli.printing import say_file

        service = program(context).service
        say_file(monitoring.rules(service) if what == "alerts" else monitoring.dashboard(service))

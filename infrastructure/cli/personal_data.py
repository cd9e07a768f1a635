"""Commands about personal data: forget a person, export one, and rotate the master key."""

from pathlib import Path
from typing import Annotated

import typer

from infrastructure.cli.process import UsageError, clear_errors, deployed, until_done

By = Annotated[
    str | None,
    typer.Option(help="Your name; unset: the user of this process.", metavar="NAME"),
]
Why = Annotated[str, typer.Option(help="Why; it is recorded.", metavar="TEXT")]


def forget(
    context: typer.Context,
    subject: Annotated[
        str | None, typer.Argument(help="Whom: the text in the subject's field of the events.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is recorded.", metavar="TEXT")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what it would do; change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Change nothing: search every place for readable traces."),
    ] = False,
    texts: Annotated[
        list[str] | None,
        typer.Option(
            "--text", help="With `--verify`: a text to search for; may be repeated.", metavar="TEXT"
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Of all who were forgotten: put right what was restored from a backup.",
        ),
    ] = False,
    by: By = None,
) -> None:
    """Forget a person: their personal data can never be read again, in any store.

    Destroys the key of the data subject, rebuilds the read models that may hold its personal data,
    and searches every place for what was readable before: all stores, and what the service has sent
    to other servers. It prints first what it will do, and asks. It cannot be undone. A run that was
    stopped or killed goes on when it is repeated. Exit code 1 when something can still be read, or
    when a place could not be searched.
    """
    with clear_errors():
        from infrastructure.cli import forgetting_commands as commands

        deployment = deployed(context)
        if again and subject is None:
            until_done(commands.again(deployment, reason or "", by))
        elif subject is None or again:
            raise UsageError("give either the SUBJECT or --again")
        elif verify:
            until_done(commands.verify(deployment, subject, texts or ()))
        elif dry_run:
            until_done(commands.show(deployment, subject))
        else:
            until_done(commands.forget(deployment, subject, reason or "", by, confirmed=yes))


def export(
    context: typer.Context,
    subject: Annotated[
        str, typer.Argument(help="Whose: the text in the subject's field of the events.")
    ],
    output: Annotated[
        Path, typer.Option(help="The file to write, which is not there yet.", metavar="FILE")
    ],
    reason: Why,
    by: By = None,
) -> None:
    """Write everything that is stored of a person to one file, as JSON.

    These are all events that name the data subject, or hold personal data of it, whole. The file
    can be read by its owner only. A person who was forgotten cannot be exported.
    """
    with clear_errors():
        from infrastructure.cli.exporting_commands import export

        if output.exists():
            raise UsageError(f"--output: {output} is there already: name a new file")
        until_done(export(deployed(context), subject, output, reason, by))


def rotate_master_key(context: typer.Context, reason: Why, by: By = None) -> None:
    """Wrap the keys of all data subjects by the newest master key.

    First set the new master key, with the former ones beside it, and restart every process. Then
    run this command; it can be stopped, killed and repeated, while the service works. After that
    the former master keys are not needed any more, except for backups.
    """
    with clear_errors():
        from infrastructure.cli.master_key_commands import rotate

        until_done(rotate(deployed(context), reason, by))

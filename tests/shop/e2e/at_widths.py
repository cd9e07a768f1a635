"""Runs commands at several widths in one process, as each would run in its own.

    python -m tests.shop.e2e.at_widths < asked.json

``asked``: commands, each a list of arguments, and widths. Prints what each printed, as JSON, in
the order of ``asked``.
"""

import json
import os
import sys

from typer.testing import CliRunner

from infrastructure.cli.main import command_line
from infrastructure.shop.program import PROGRAM


def main() -> None:
    asked = json.load(sys.stdin)
    app, found = command_line(PROGRAM), []
    for arguments in asked["commands"]:
        for width in asked["widths"]:
            ended = CliRunner().invoke(app, arguments, env={**os.environ, "COLUMNS": str(width)})
            found.append([arguments, width, ended.exit_code, ended.stdout, ended.stderr])
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()

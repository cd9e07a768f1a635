"""Freezes samples and prints references anew, in the checkout or a copy of it, in one process.

Run as a program with a JSON document: a list of modules with their arguments, each with the file
for what it prints, or null.
"""

import contextlib
import io
import json
import runpy
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path


def follow(work: Sequence[tuple[Sequence[str], str | None]]) -> None:
    """Run each module as a program; a file is replaced only if it is there, and changes."""
    for (module, *arguments), file in work:
        sys.argv = [module, *arguments]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        if file and Path(file).exists() and Path(file).read_text() != printed.getvalue():
            Path(file).unlink()  # it may be a link
            Path(file).write_text(printed.getvalue())


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)  # a module that another one has imported
    follow(json.loads(sys.argv[1]))

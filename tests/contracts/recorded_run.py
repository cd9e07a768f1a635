"""The contract suites on a real EventStoreDB, as they passed at an earlier commit."""

import tomllib
from pathlib import Path
from typing import Final

_RUN: Final = tomllib.loads((Path(__file__).parent / "recorded_run.toml").read_text())
ADAPTER: Final[str] = _RUN["adapter"]
CELL: Final = f"✓ at {_RUN['commit']}"

SENTENCE: Final = (
    f"*{CELL}*, of EventStoreDB, was not run when this page was printed. The test of that name, "
    f"as\n  it was at commit `{_RUN['commit']}`, passed on {_RUN['date']} on {_RUN['server']},\n"
    f"  and so did all {_RUN['count']}. No later commit has run there."
)


def passed(suite: str, test: str) -> bool:
    """Whether it was among the tests that passed; ``suite`` is the name of its file."""
    return test in _RUN["passed"].get(suite, ())

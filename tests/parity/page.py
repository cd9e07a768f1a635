"""The page of what is the same on every event store, and what differs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.contracts.stores import Stores
from tests.parity.probes import PROBES

_PAGE: Final = Path(__file__).with_suffix(".txt")


async def page(stores: Mapping[str, Stores]) -> str:
    """Each probe tried on each store, in columns of these names."""
    rows = [f"| | {' | '.join(stores)} |", f"|---{'|---' * len(stores)}|"]
    for probe in PROBES:
        answers = [await probe(one) for one in stores.values()]
        rows.append(f"| {probe.__doc__} | {' | '.join(answers)} |")
    return _PAGE.read_text().format(tried="\n".join(rows))

"""What is printed: milliseconds of the processor for one whole order, and what customers saw."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Final

from tests.shop.benchmarks.whole_orders.deployment import Taken
from tests.shop.benchmarks.whole_orders.load import Load

OUTSIDE: Final = "simulated providers"
"""A server that stands in for those of others."""
_LEAST: Final = 0.05  # ms: smaller parts are added up


def costs(taken: Taken, orders: int) -> Iterator[str]:
    """A table: each process, with its parts below."""
    each = {name: seconds / orders * 1e3 for name, seconds in taken.processes.items()}
    own = sum(value for name, value in each.items() if name != OUTSIDE)
    yield f"ms of processor for one whole order, {orders:,} orders"
    for name, value in each.items():
        yield f"  {name:40}{value:8.2f}"
        for part, of in _parts(taken.parts.get(name, {}), orders):
            yield f"    {part:38}{of:8.2f}"
    yield f"  {'all':40}{sum(each.values()):8.2f}"
    yield f"  {'all but the ' + OUTSIDE:40}{own:8.2f}"
    yield f"transactions of PostgreSQL for each: {taken.commits / orders:.1f}"


def _parts(parts: Mapping[str, float], orders: int) -> Iterator[tuple[str, float]]:
    each = Counter({name: seconds / orders * 1e3 for name, seconds in parts.items()})
    small = 0.0
    for name, value in each.most_common():
        if value < _LEAST:
            small += value
        else:
            yield name, value
    if small >= _LEAST / 10:
        yield "others", small


def customers(load: Load) -> Iterator[str]:
    """What the customers saw."""
    asked = load.placed + load.refused + sum(load.wrong.values())
    yield (
        f"orders: {asked:,} sent in {load.seconds:.1f} s, {load.placed:,} placed "
        f"({load.placed / load.seconds:.1f}/s), {load.refused:,} refused, "
        f"{sum(load.wrong.values()):,} answered wrongly"
    )
    for what, count in (load.wrong + load.gets_wrong).most_common(5):
        yield f"  {count:,} times {what}"
    yield f"POST /orders: {percentiles(load.posts)}"
    if load.gets:
        wrong = sum(load.gets_wrong.values())
        yield f"GET /orders/ID: {percentiles(load.gets)}; {wrong:,} of {len(load.gets):,} wrong"
    yield f"the customers' own processor: {per_request(load):.2f} ms a request"


def percentiles(seconds: Sequence[float]) -> str:
    """p50, p99 and the worst, in milliseconds."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return (
        f"p50 {median(ordered) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, "
        f"worst {ordered[-1] * 1e3:.1f} ms"
    )


def per_request(load: Load) -> float:
    """Milliseconds of the customers' processor."""
    return load.processor / max(1, len(load.posts) + len(load.gets)) * 1e3


def lags(worst: Mapping[str, float]) -> str:
    """The longest lag of each read model."""
    each = ", ".join(f"{name} {lag:.2f}" for name, lag in sorted(worst.items()))
    return f"longest lag in seconds: {max(worst.values(), default=0.0):.2f} ({each})"

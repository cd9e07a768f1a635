"""Small pictures as SVG, each with its meaning in words. Colours and widths come from the style."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from markupsafe import Markup

Point = tuple[float, float | None]
"""Seconds ago, and the value then; ``None``: unknown."""

_WIDE: Final = 120
_HIGH: Final = 24
_HOUR: Final = 3600.0


def sparkline(points: Sequence[Point], label: str, span: float = _HOUR) -> Markup:
    """A line over the last ``span`` seconds, from 0 up. Unknown is a gap, and never 0."""
    known = [value for _, value in points if value is not None]
    top = max(known, default=0.0) or 1.0
    lines = [
        " ".join(_at(ago, value, span, top) for ago, value in run if value is not None)
        for there, run in groupby(points, key=lambda point: point[1] is not None)
        if there
    ]
    drawn = Markup("").join(Markup('<polyline points="{}"/>').format(one) for one in lines)
    said = f"{label}: {_said(known)}"
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><title>{}</title>{}</svg>'
    ).format(_WIDE, _HIGH, said, said, drawn)


def bar(part: float, whole: float, label: str) -> Markup:
    """How much of the whole a part is."""
    share = min(1.0, part / whole) if whole > 0 else 0.0
    return Markup(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><rect class="whole" width="100" height="6"/>'
        '<rect class="part" width="{:.1f}" height="6"/></svg>'
    ).format(label, share * 100)


def _at(ago: float, value: float, span: float, top: float) -> str:
    x = _WIDE * (1 - min(ago, span) / span)
    return f"{x:.1f},{_HIGH - 1 - (_HIGH - 2) * value / top:.1f}"


def _said(known: Sequence[float]) -> str:
    if not known:
        return "not known in the last hour"
    return f"now {known[-1]:,.3g}, at most {max(known):,.3g} in the last hour"


PICTURES: Final[Mapping[str, Callable[..., Any]]] = {"sparkline": sparkline, "bar": bar}

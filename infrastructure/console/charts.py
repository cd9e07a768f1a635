"""Larger pictures as SVG. Their text keeps its size however wide the page is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

_WIDE: Final = 1000
_HIGH: Final = 200
_TICKS: Final = 4
_LAST: Final = 0.92  # beyond it, a name stands before its place
_APART: Final = 0.08  # of the width, which a name needs; on a narrow page every third is shown

_BESIDE_CUT: Final = 0.5  # of the width, which two names need on a narrow page


@dataclass(frozen=True)
class Mark:
    """A place along the curve that has a name: 0 is its begin, 1 its end."""

    place: float
    name: str
    cut: bool = False
    """Whether time without values was left out before it."""


def curve(values: Sequence[float], marks: Sequence[Mark], label: str, unit: str = "") -> Markup:
    """A curve over equal steps, from 0 (or the lowest) up. ``label`` says it in words."""
    top, low = max([*values, 0.0]) or 1.0, min([*values, 0.0])
    span = top - low
    step = _WIDE / max(1, len(values) - 1)
    points = " ".join(
        f"{at * step:.1f},{_HIGH * (top - value) / span:.1f}" for at, value in enumerate(values)
    )
    base = _HIGH * top / span
    area = f"M0,{base:.1f} L{points.replace(' ', ' L')} L{(len(values) - 1) * step:.1f},{base:.1f}Z"
    ticks = [low + span * at / _TICKS for at in range(_TICKS + 1)]
    return Markup(
        '<svg class="curve" role="img" aria-label="{label}">'
        "{lines}"
        '<svg x="0" y="8" width="100%" height="200" viewBox="0 0 {wide} {high}" '
        'preserveAspectRatio="none"><path class="area" d="{area}"/>'
        '<polyline points="{points}"/></svg>{marks}{texts}</svg>'
    ).format(
        label=label,
        lines=_joined(_line(_height(value, top, span)) for value in ticks),
        texts=_joined(_tick(value, _height(value, top, span), unit) for value in ticks),
        wide=_WIDE,
        high=_HIGH,
        area=area if values else "M0,0Z",
        points=points,
        marks=_joined(_marks(_thinned(marks))),
    )


def _height(value: float, top: float, span: float) -> float:
    return 8 + _HIGH * (top - value) / span


def _line(y: float) -> Markup:
    return Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(f"{y:.1f}")


def _tick(value: float, y: float, unit: str) -> Markup:
    """Before the curve, so that neither hides the other."""
    said = f"{value:,.0f} {unit}".strip()
    return Markup('<text class="tick" x="-8" y="{:.1f}" text-anchor="end">{}</text>').format(
        y + 4, said
    )


def _marks(marks: Sequence[Mark]) -> Iterator[Markup]:
    cuts = [mark for mark in marks if mark.cut]
    for at, mark in enumerate(marks):
        near_cut = any(abs(mark.place - one.place) < _BESIDE_CUT for one in cuts)
        yield _mark(mark, minor=at % 3 != 0 or near_cut)


def _mark(mark: Mark, *, minor: bool) -> Markup:
    """``minor``: on a narrow page it is left out."""
    kind = " cut" if mark.cut else " minor" if minor else ""
    anchor = "end" if mark.place > _LAST else "start"
    return Markup(
        '<line class="grid{kind}" x1="{x:.2f}%" x2="{x:.2f}%" y1="8" y2="212"/>'
        '<text class="tick{kind}" x="{x:.2f}%" y="226" text-anchor="{anchor}">{name}</text>'
    ).format(kind=kind, x=mark.place * 100, anchor=anchor, name=mark.name)


def _thinned(marks: Sequence[Mark]) -> Sequence[Mark]:
    """Those whose names do not meet; where time was left out, always."""
    kept = [mark for mark in marks if mark.cut]
    for mark in marks:
        if not mark.cut and not any(_meet(mark, one) for one in kept):
            kept.append(mark)
    return sorted(kept, key=lambda mark: mark.place)


def _meet(one: Mark, other: Mark) -> bool:
    (begin, end), (other_begin, other_end) = _extent(one), _extent(other)
    return begin < other_end and other_begin < end


def _extent(mark: Mark) -> tuple[float, float]:
    """From where to where its name is: at the end of the curve it stands before its place."""
    width = 3 * _APART if mark.cut else _APART
    return (
        (mark.place - width, mark.place) if mark.place > _LAST else (mark.place, mark.place + width)
    )


def _joined(parts: Any) -> Markup:
    return Markup("").join(parts)


CHARTS: Final[Mapping[str, Callable[..., Any]]] = {"curve": curve}

"""The map as SVG: commands, aggregates and events in lanes; what reads them at the right.

Colours come from the style sheet ``map.css``, by class: a page that forbids inline styles links it,
and a picture that stands alone carries it. Text is measured by its number of characters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from application.system_map import (
    Lane,
    Reader,
    Source,  # only: bus
    SystemMap,
)

STYLE: Final = Path(__file__).with_name("map.css").read_text()
Link = Callable[[str, str], str | None]
"""Kind (``category`` or that of a reader) and name → the address of its page."""

_WIDE: Final = 1200
_ROW, _PAD, _GAP = 19, 12, 18
_COMMANDS: Final = 0
_AGGREGATE: Final = 196
_EVENTS: Final = 306
_LANE_END: Final = 486
_READERS: Final = 740
_CHARACTERS: Final = 62  # that fit in a line of a reader
_HUES: Final = 6
_TITLES: Final = {
    "saga": "Sagas",
    "reaction": "Reactions",
    "read model": "Read models",
    "topic": "Topics",  # only: bus
}


def nowhere(_: str, __: str) -> str | None:
    """Without links."""
    return None


def picture(of: SystemMap) -> str:
    """A picture that stands alone, light or dark as its reader's screen is."""
    ground = ".map { background: light-dark(#fff, #12181f); }"
    drawn = drawing(of, style=f"<style>{ground}\n{STYLE}</style>")
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


def drawing(of: SystemMap, link: Link = nowhere, style: str = "") -> str:
    """The map as an ``svg`` element, to stand in a page."""
    lanes, readers = _placed_lanes(of), _placed_readers(of)
    below = lanes[-1].end + _GAP if lanes else 26
    high = max(below + _ROW, readers[-1].end if readers else 0) + 4
    # only: bus
    sources = [line for one in of.sources for line in _source(one)]
    high = max(high, below + (len(sources) + 1) * _ROW + 4)
    # end: bus
    role = "img" if link is nowhere else "group"  # an image has no links in it
    title = f"Map of {of.service}: its commands and events, and what reads them"
    return "\n".join(
        [
            f'<svg class="map" viewBox="0 0 {_WIDE} {high}" '
            f'role="{role}" aria-label="{escape(title)}">{style}',
            _heading(_COMMANDS, "Commands"),
            _heading(_AGGREGATE, "Aggregates"),
            _heading(_EVENTS, "Events"),
            *(_lane(place, link) for place in lanes),
            # only: bus
            _heading(_COMMANDS, "Commands come also from", below + 14) if sources else "",
            *(_text(10, below + 36 + at * _ROW, line) for at, line in enumerate(sources)),
            # end: bus
            *(_reader(place, lanes, link) for place in readers),
            "</svg>",
        ]
    )


@dataclass(frozen=True)
class _LanePlace:
    lane: Lane
    hue: int
    top: int

    @property
    def end(self) -> int:
        rows = max(len(self.lane.commands), len(self.lane.events), 1)
        return self.top + rows * _ROW + 2 * _PAD

    @property
    def middle(self) -> float:
        return (self.top + self.end) / 2

    def row(self, at: int) -> int:
        """The base line of that row."""
        return self.top + _PAD + at * _ROW + 13

    def of_event(self, type: str) -> float:
        return self.row(self.lane.events.index(type)) - 4


@dataclass(frozen=True)
class _ReaderPlace:
    reader: Reader
    top: int
    lines: Sequence[str]
    heads: bool  # the first of its kind, below a title

    @property
    def end(self) -> int:
        return self.top + 30 + len(self.lines) * 16 + (6 if self.lines else 0)


# only: bus
def _source(source: Source) -> Iterator[str]:
    yield f"{source.publisher}, by the topic {', '.join(source.topics)}:"
    yield from (f"    {event}" for event in source.events)


# end: bus
def _placed_lanes(of: SystemMap) -> Sequence[_LanePlace]:
    places: list[_LanePlace] = []
    top = 26
    for at, lane in enumerate(of.lanes):
        places.append(_LanePlace(lane, at % _HUES, top))
        top = places[-1].end + _GAP
    return places


def _placed_readers(of: SystemMap) -> Sequence[_ReaderPlace]:
    places: list[_ReaderPlace] = []
    top, kind = -8, ""
    for reader in of.readers:
        heads = reader.kind != kind
        top += 34 if heads else 0
        places.append(_ReaderPlace(reader, top, _lines_of(reader), heads))
        top, kind = places[-1].end + 8, reader.kind
    return places


def _lines_of(reader: Reader) -> Sequence[str]:
    """Its parts, in lines that fit."""
    joint = " → " if reader.kind == "saga" else ", "
    lines: list[str] = []
    for part in reader.parts:
        if lines and len(lines[-1]) + len(joint) + len(part) <= _CHARACTERS:
            lines[-1] += joint + part
        else:
            lines[-1:] = [lines[-1] + joint.rstrip()] if lines else []
            lines.append(part)
    return lines


def _lane(place: _LanePlace, link: Link) -> str:
    lane, middle = place.lane, place.middle
    box = _PAD + 8
    return "\n".join(
        [
            f'<g class="lane hue-{place.hue}">',
            f'<rect class="ground" x="0" y="{place.top}" width="{_LANE_END}" '
            f'height="{place.end - place.top}" rx="6"/>',
            *(_text(_COMMANDS + 10, place.row(at), name) for at, name in enumerate(lane.commands)),
            f'<path class="through" d="M{_AGGREGATE - 16} {middle}h12m-4 -4l4 4l-4 4"/>'
            if lane.commands
            else "",
            f'<rect class="aggregate" x="{_AGGREGATE}" y="{middle - box}" width="92" '
            f'height="{2 * box}" rx="4"/>',
            _linked(
                link("category", lane.category),
                f'<text class="name" x="{_AGGREGATE + 46}" y="{middle + 4}" '
                f'text-anchor="middle">{escape(lane.category)}</text>',
            ),
            *(_text(_EVENTS, place.row(at), name) for at, name in enumerate(lane.events)),
            "</g>",
        ]
    )


def _reader(place: _ReaderPlace, lanes: Sequence[_LanePlace], link: Link) -> str:
    reader = place.reader
    title = _heading(_READERS, _TITLES[reader.kind], place.top - 8) if place.heads else ""
    suffix = " (of all sagas)" if reader.of_sagas else ""
    return "\n".join(
        [
            title,
            f'<g class="reader {reader.kind.replace(" ", "-")}">',
            *_arrows(place, lanes),
            f'<rect x="{_READERS}" y="{place.top}" width="{_WIDE - _READERS - 2}" '
            f'height="{place.end - place.top}" rx="4"/>',
            _linked(
                link(reader.kind, reader.name),
                f'<text class="name" x="{_READERS + 12}" y="{place.top + 20}">'
                f"{escape(reader.name)}{suffix}</text>",
            ),
            *(
                _text(_READERS + 12, place.top + 38 + at * 16, line, "part")
                for at, line in enumerate(place.lines)
            ),
            "</g>",
        ]
    )


def _arrows(place: _ReaderPlace, lanes: Sequence[_LanePlace]) -> Iterator[str]:
    """From a lane for all its events; else from each event."""
    at = place.top + 15.0
    for lane in lanes:
        if lane.lane.category in place.reader.whole:
            yield _arrow(lane.hue, lane.middle, at, "whole")
        for category, type in place.reader.single:
            if category == lane.lane.category:
                yield _arrow(lane.hue, lane.of_event(type), at, "single")


def _arrow(hue: int, start: float, end: float, kind: str) -> str:
    bend = (_READERS - _LANE_END) / 2
    return (
        f'<path class="arrow {kind} hue-{hue}" d="M{_LANE_END} {start}'
        f"C{_LANE_END + bend} {start} {_READERS - bend} {end} {_READERS - 6} {end}"
        f'm-5 -4l5 4l-5 4"/>'
    )


def _heading(x: int, text: str, y: int = 14) -> str:
    return _text(x, y, text, "title")


def _text(x: int, y: int, text: str, kind: str = "item") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def _linked(address: str | None, drawn: str) -> str:
    return drawn if address is None else f'<a href="{escape(address)}">{drawn}</a>'

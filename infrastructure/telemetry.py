"""Logs: structlog and the standard library's loggers, one line per record, in one form.

A record holds the values that its caller named, and the lines of a traceback. It never holds a
local variable, which may be a secret, nor more than ``LARGEST_RECORD`` characters.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from infrastructure.log_file import Shared
from infrastructure.log_writing import Aside, Seldom
from infrastructure.visible import visible

LARGEST_RECORD: Final = 16_000  # characters
_LONGEST_TEXT: Final = 1_000
_MOST_ITEMS: Final = 25
_ESSENTIAL: Final = ("event", "correlation_id", "level", "logger", "role", "timestamp")
_LEVELS: Final = {name.lower(): level for name, level in logging.getLevelNamesMapping().items()}
_encode: Final = json.JSONEncoder(default=repr).encode

_BEFORE_RENDERING: Sequence[Any] = (
    structlog.contextvars.merge_contextvars,  # the correlation id of the request
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_traceback = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=_MOST_ITEMS)
)


def log_to_stderr(level: str, role: str = "") -> None:
    """One line per record: readable on a terminal, JSON elsewhere. ``role``: of this process."""
    _configure(level, [_stderr(level, role)])


def log_to_file(file: Path, level: str, role: str = "") -> None:
    """JSON into ``file`` (10 MB, three old ones kept); warnings also readable on stderr.

    Several processes may share the file, each with its own ``role`` in its lines.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    into_file = Shared(file, most=10_000_000, kept=3)
    _configure(level, [_Output(into_file, level, _of(role), *_JSON), _stderr("WARNING", role)])


class _Output(Aside):
    """Where lines go: those of a level, rendered in one way."""

    def __init__(self, target: logging.Handler, level: str, *rendering: Any) -> None:
        super().__init__(target)
        self.setLevel(level)
        self.addFilter(Seldom())
        self._rendering = rendering
        drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        self.setFormatter(  # of what other libraries log
            structlog.stdlib.ProcessorFormatter(
                processors=[drop, *rendering], foreign_pre_chain=_BEFORE_RENDERING
            )
        )

    def take(self, record: "_Record") -> None:
        """A record of our own, which needs none of what :mod:`logging` adds."""
        if _LEVELS[record["level"]] < self.level:
            return
        rendered: Any = dict(record)
        for render in self._rendering:
            rendered = render(None, record["level"], rendered)
        self.put(rendered)


@dataclass(frozen=True)
class _Logger:
    """Where our own records end."""

    name: str | None
    outputs: Sequence[_Output]

    def take(self, **record: Any) -> None:
        for output in self.outputs:
            output.take(record)

    debug = info = warning = error = critical = take


def _configure(level: str, outputs: Sequence[_Output]) -> None:
    structlog.configure(
        processors=[*_BEFORE_RENDERING],  # of its own: structlog changes it to capture records
        logger_factory=lambda name=None: _Logger(name, outputs),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    logging.raiseExceptions = False  # else it prints the arguments of a failed record
    logging.basicConfig(level=level, handlers=outputs, force=True)


def _stderr(level: str, role: str) -> _Output:
    rendering = _PRETTY if sys.stderr.isatty() else _JSON
    return _Output(logging.StreamHandler(sys.stderr), level, _of(role), *rendering)


def _of(role: str) -> Callable[[Any, str, "_Record"], "_Record"]:
    """Adds the role of the process."""
    return lambda _, __, record: {**record, "role": role} if role else record


# ── what a record holds ──────────────────────────────────────────────────────────────────────────

_Record = structlog.typing.EventDict


def _bounded(_: Any, __: str, record: _Record) -> _Record:
    """Shorten long texts, lists and tracebacks."""
    return {key: _cut(value) for key, value in record.items()}


def _cut(value: Any, depth: int = 6) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str() if len(value) <= _LONGEST_TEXT:
            return value
        case str():
            return f"{value[:_LONGEST_TEXT]}… ({len(value):,} characters)"
        case Mapping() if depth:
            return {str(key): _cut(item, depth - 1) for key, item in list(value.items())[:50]}
        case list() | tuple() if depth:
            return [_cut(item, depth - 1) for item in value[:_MOST_ITEMS]]
    return _cut(repr(value))


def _rendered(_: Any, __: str, record: _Record) -> str:
    """One line of JSON; of a record that is too large, only the essential fields."""
    line = _encode(record)
    if len(line) <= LARGEST_RECORD:
        return line
    kept = {key: record[key] for key in _ESSENTIAL if key in record}
    return _encode({**kept, "left_out": f"the rest of {len(line):,} characters"})


def _reason(_: Any, __: str, record: _Record) -> _Record:
    """On a terminal, the error without its traceback; the JSON has it."""
    found = record.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        record["reason"] = f"{type(error).__name__}: {error}"
    return record


def _shown(_: Any, __: str, record: _Record) -> _Record:
    """The record with control characters made visible."""
    return {
        key: visible(value) if isinstance(value, str) else visible(repr(value))
        for key, value in record.items()
    }


_JSON: Final[Sequence[Any]] = (_traceback, _bounded, _rendered)
_PRETTY: Final[Sequence[Any]] = (_reason, _bounded, _shown, structlog.dev.ConsoleRenderer())

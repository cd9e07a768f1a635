"""Logs: structlog and the standard library's loggers, one line an event, through one door."""

import logging
import sys
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

_BEFORE_RENDERING: Sequence[Any] = (
    structlog.contextvars.merge_contextvars,  # the correlation id of the request
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def log_to_stderr(level: str) -> None:
    """One line an event: readable on a terminal, JSON anywhere else."""
    _configure(level, [_stderr(level)])


def log_to_file(file: Path, level: str) -> None:
    """JSON into ``file`` (10 MB, three old ones kept); warnings also readable on stderr."""
    file.parent.mkdir(parents=True, exist_ok=True)
    into_file = RotatingFileHandler(file, maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    into_file.setLevel(level)
    into_file.setFormatter(_json())
    _configure(level, [into_file, _stderr("WARNING")])


def _configure(level: str, handlers: list[logging.Handler]) -> None:
    structlog.configure(
        processors=[*_BEFORE_RENDERING, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    logging.basicConfig(level=level, handlers=handlers, force=True)


def _stderr(level: str) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    handler.setFormatter(_pretty() if sys.stderr.isatty() else _json())
    return handler


def _json() -> logging.Formatter:
    return _formatter(
        structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(sort_keys=False)
    )


def _pretty() -> logging.Formatter:
    return _formatter(structlog.dev.ConsoleRenderer(exception_formatter=_one_line_exception))


def _formatter(*rendering: Any) -> logging.Formatter:
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        processors=[drop, *rendering], foreign_pre_chain=_BEFORE_RENDERING
    )


def _one_line_exception(out: Any, exception: Any) -> None:
    """On a terminal the reason is enough; the file and the JSON have the trace."""
    out.write(f" {exception[0].__name__}: {exception[1]}")

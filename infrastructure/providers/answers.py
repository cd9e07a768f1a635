"""Answers of providers as they are written in JSON."""

from dataclasses import asdict
from typing import Any

from application.ports import Declined, Done
from application.shop.ports import Authorised, Booked

Answer = Authorised | Booked | Declined | Done


class NotUnderstood(Exception):
    """What was said is no answer that we know."""


def written(answer: Answer | None) -> dict[str, Any]:
    """The answer as an object that :func:`read` understands."""
    if answer is None:
        return {"answer": None}
    return {"answer": type(answer).__name__.lower(), **asdict(answer)}


def read(said: object) -> Answer | None:
    """The answer that was written; fields that we do not know are no harm.

    Raises :class:`NotUnderstood`.
    """
    match said:
        case {"answer": None}:
            return None
        case {"answer": "authorised", "reference": str(reference)}:
            return Authorised(reference)
        case {"answer": "booked", "tracking_code": str(code)}:
            return Booked(code)
        case {"answer": "declined", "reason": str(reason)}:
            return Declined(reason)
        case {"answer": "done"}:
            return Done()
        case _:
            raise NotUnderstood(f"{said!r:.200} is no answer to that")

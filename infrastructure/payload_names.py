"""The names of payloads in a directory or a bucket, the same in both.

<digest>                    a payload
draft-…                     what a killed writer has left in a directory
aside/<digest>/<moment>     a payload that was set aside at that moment
logs/<id>                   a log whose events refer to payloads here
probe                       written to find out whether payloads can be written
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from application.ports import StoredPayload

ASIDE: Final = "aside"
LOGS: Final = "logs"
PROBE: Final = "probe"
DRAFT: Final = "draft-"
_MOMENT: Final = "%Y%m%dT%H%M%S.%fZ"


def stored_at(path: str, size: int, modified: datetime) -> StoredPayload | None:
    """What is at this path; ``None`` for what is not a payload, and not left by a writer of one."""
    match path.split("/"):
        case [name]:
            found = StoredPayload(name, size, modified)
        case ["aside", name, moment] if (at := _moment(moment)) is not None:
            found = StoredPayload(name, size, at, aside=True)
        case _:
            return None
    return found if found.is_payload or name.startswith(DRAFT) else None


def aside(digest: str, at: datetime) -> str:
    """Where a payload is that was set aside at that moment."""
    return f"{ASIDE}/{digest}/{at.astimezone(UTC).strftime(_MOMENT)}"


def note_of(log: str) -> str:
    """The name that notes a log."""
    return f"{LOGS}/{quote(log, safe='')}"


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    return None

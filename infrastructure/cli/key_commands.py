"""What ``headwater keys`` does and prints."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from pydantic import ValidationError
from rich.text import Text

from application.access import ADMINISTRATIVE
from application.api_keys import API_KEYS, IssueKey, Key, KeyText, RevokeKey, UnknownKey, digest
from application.messages import Context
from application.ports import LARGEST_BROWSED, Reading, Total
from infrastructure.cli.forms import say_data
from infrastructure.cli.list_end import say_end, summary
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError, caller, typed
from infrastructure.cli.table import Column, print_table
from infrastructure.container import Container
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS, NEW_EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_COLUMNS: Final = (
    *map(Column, ("id", "name")),
    Column("roles", text=True),
    *map(Column, ("expires", "status")),
)
_FIELDS: Final = ("id", "name", "roles", "expires_at", "status", "revoked_because")


@dataclass(frozen=True)
class _Listed:
    id: str
    key: Key

    @property
    def status(self) -> str:
        if self.key.revoked:
            return "revoked"
        return "expired" if self.key.has_expired(datetime.now(UTC)) else "valid"


async def issue(
    deployment: Deployment, name: str, roles: Sequence[str], span: timedelta, by: str | None
) -> None:
    """Raises :class:`UsageError` for a role that the service does not have."""
    known = {role.name for role in (*ADMINISTRATIVE, *deployment.program.service.roles)}
    if strange := sorted({*roles} - known):
        wrong, right = ", ".join(strange), ", ".join(sorted(known))
        raise UsageError(f"--role: there is no role {wrong}; the service has {right}")
    key, expires = KeyText.new(), datetime.now(UTC) + span
    try:
        command = IssueKey(
            name=name,
            roles=tuple(dict.fromkeys(roles)),
            digest=digest(key.secret),
            expires_at=expires,
        )
    except ValidationError as error:
        raise UsageError(
            f"{name!r} cannot be a name: write one line without spaces around it"
        ) from error
    async with opened_for(deployment, NEW_EVENTS) as container:
        await container.dispatch()(key.id, command, _context(by))
    say(str(key))
    say(f"This is the key of {name}, valid until {_day(expires)}. It is not shown again.", err=True)
    if not deployment.settings.api_keys:
        setting = deployment.settings.name_of("api_keys")
        say(f"A service accepts it with {setting}=true.", err=True)


async def print_keys(deployment: Deployment, *, json: bool) -> None:
    async with opened_for(deployment, EVENTS) as container:
        keys = [key async for key in _all(container)]
    if json:
        say_data([_document(one) for one in keys], columns=_FIELDS)
        return
    print_table(_COLUMNS, [_cells(one) for one in keys])
    say_end(summary(len(keys), Total(len(keys)), "key", "keys"), None)


async def revoke(deployment: Deployment, id: str, reason: str, by: str | None) -> None:
    if not reason.strip():
        raise UsageError("--reason is empty: give a reason, which is kept with the key")
    async with opened_for(deployment, EVENTS) as container:
        try:
            outcome = await container.dispatch()(id, RevokeKey(reason=reason), _context(by))
        except UnknownKey as error:
            raise CommandFailed(f"{error}: `{typed('keys list')}` shows them") from error
    say(f"The key {id} {'is revoked' if outcome.events else 'was revoked before'}.")


def _context(by: str | None) -> Context:
    who = caller().actor
    return Context.start(f"{who} as {by}" if by else who, uuid4(), datetime.now(UTC))


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


async def _all(container: Container) -> AsyncIterator[_Listed]:
    """All keys, the newest first."""
    after: str | None = None
    while True:
        reading = Reading(after=after, limit=LARGEST_BROWSED)
        page = await container.event_browser().streams(API_KEYS.name, reading=reading)
        for stream in page.items:
            history = [one.event async for one in container.event_store().read(stream.name)]
            yield _Listed(stream.name.partition("-")[2], API_KEYS.decider.fold(history))
        if not page.more:
            return
        after = page.reached


def _cells(one: _Listed) -> list[Text]:
    issued = one.key.issued
    assert issued is not None  # the first event of each
    expires = _day(issued.expires_at) if issued.expires_at else "never"
    style = "green" if one.status == "valid" else "red"
    words = (one.id, issued.name, ", ".join(issued.roles), expires)
    return [*map(Text, words), Text(one.status, style=style)]


def _document(one: _Listed) -> dict[str, object]:
    issued = one.key.issued
    assert issued is not None  # the first event of each
    kept = issued.model_dump(mode="json", exclude={"digest"})
    reason = one.key.revoked.reason if one.key.revoked else None
    return {"id": one.id, **kept, "status": one.status, "revoked_because": reason}

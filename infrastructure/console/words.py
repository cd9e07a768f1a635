"""Values as a page shows them. Unknown is ``?``, never 0."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from application.ports import Total
from domain.currencies import DECIMALS
from domain.values import Money
from infrastructure.cli import figures
from infrastructure.visible import visible, visible_json

UNKNOWN: Final = figures.UNKNOWN
_YEAR: Final = 365.25 * 86_400  # seconds


def moment(at: datetime | None, now: datetime | None = None) -> Markup | str:
    """In UTC, and how long ago: ``2026-11-28 09:15:02Z · 3 min ago``."""
    if at is None:
        return UNKNOWN
    utc = at.astimezone(UTC)
    exact = utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{0}" title="{0}">{1} <small>{2}</small></time>').format(
        exact, utc.strftime("%Y-%m-%d %H:%M:%SZ"), ago(at, now)
    )


def ago(at: datetime, now: datetime | None = None) -> str:
    """``3 min ago``; ``in 3 min`` for what is to come."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    passed = figures.seconds(abs(seconds))
    if abs(seconds) > 2 * _YEAR:
        passed = f"{abs(seconds) / _YEAR:.0f} years"
    return f"{passed} ago" if seconds > 0 else f"in {passed}"


def span(seconds: float | None) -> str:
    """A time that passed, also below a second: ``3 ms``, ``0.3 s``, ``12 min``."""
    if seconds is not None and 0 < seconds < 0.1:
        return f"{max(1, round(seconds * 1000))} ms"
    return figures.seconds(seconds)


def money(amount: Money) -> str:
    """``1,234.50 GBP``."""
    return f"{in_currency(amount.amount, amount.currency)} {amount.currency}"


def in_currency(amount: Decimal, currency: str) -> str:
    """``1,234.50``: exact, with the decimals of the currency at least."""
    least = Decimal(1).scaleb(-DECIMALS.get(currency, 0))
    exact = amount if -int(amount.as_tuple().exponent) > DECIMALS.get(currency, 0) else None
    return f"{amount.quantize(least) if exact is None else exact:,f}"


def pretty(document: Any) -> str:
    """JSON over several lines, in which control characters are visible."""
    return visible_json(document)


def document(raw: bytes) -> Any:
    """Stored bytes as JSON, or as text."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "backslashreplace")


def raw(stored: bytes) -> str:
    """Stored bytes as they are; those that are no text in hexadecimal."""
    try:
        return visible(stored.decode())
    except UnicodeDecodeError:
        return stored.hex(" ")


def in_a_word(state: str) -> str:
    """The state of a build without its reason, which its page has."""
    return state.partition(": ")[0].partition(" at position")[0]


def as_text(value: Any) -> str:
    """A value of a document, on one line."""
    if value is None:
        return "-"
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def zip_self(values: Iterable[Any]) -> list[tuple[Any, Any]]:
    """As the choices of a field: each is its own text."""
    return [(value, value) for value in values]


def plural(number: int | Total | None, one: str, many: str | None = None) -> str:
    """``1 event``, ``2 events``, ``at least 2,000 events``, ``? events``."""
    plural = many or (f"{one[:-1]}ies" if one.endswith("ry") else f"{one}s")
    shown = str(number) if isinstance(number, Total) else figures.count(number)
    return f"{shown} {one if shown == '1' else plural}"


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "moment": moment,
    "span": span,
    "count": figures.count,
    "rate": figures.rate,
    "money": money,
    "in_currency": in_currency,
    "pretty": pretty,
    "plural": plural,
    "document": document,
    "raw": raw,
    "as_text": as_text,
    "in_a_word": in_a_word,
    "zip_self": zip_self,
    "visible": visible,
}

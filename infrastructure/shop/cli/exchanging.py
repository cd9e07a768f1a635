"""The commands that ``headwater exchanges`` dispatches."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from application.shop.exchanges import request_exchange
from domain.exchanges import CloseExchange, ReceiveGoods, Replacement, SendReplacement
from domain.orders import ReturnedLine
from infrastructure.cli.process import UsageError
from infrastructure.program import Deployment
from infrastructure.shop.cli.parcels import record

_LINES: Any = TypeAdapter(tuple[ReturnedLine, ...])
_REPLACEMENTS: Any = TypeAdapter(tuple[Replacement, ...])


async def request(
    deployment: Deployment,
    order_id: str,
    back: Sequence[str],
    replacements: Sequence[str],
    by: str | None,
) -> None:
    """Like the others, raises ``CommandFailed``, :class:`UsageError`, ``StoreUnavailable``."""
    lines = _read(_LINES, "--back", [_parts(one, "line", "quantity") for one in back])
    others = [_parts(one, "sku", "quantity", "unit_price") for one in replacements]
    wanted = _read(_REPLACEMENTS, "--for", others)
    await record(
        deployment,
        by,
        lambda work, context: request_exchange(
            work.store,
            work.dispatch,
            order_id=order_id,
            exchange_id=str(uuid4()),
            lines=lines,
            replacements=wanted,
            context=context,
        ),
    )


async def received(deployment: Deployment, id: str, by: str | None) -> None:
    await record(deployment, by, lambda work, context: work.dispatch(id, ReceiveGoods(), context))


async def dispatch(deployment: Deployment, id: str, by: str | None) -> None:
    await record(
        deployment, by, lambda work, context: work.dispatch(id, SendReplacement(), context)
    )


async def hand_over(deployment: Deployment, id: str, code: str | None, by: str | None) -> None:
    await record(
        deployment,
        by,
        lambda work, context: work.warehouse.hand_over_replacement(id, code, context),
    )


async def cancel(deployment: Deployment, id: str, reason: str, by: str | None) -> None:
    await record(
        deployment,
        by,
        lambda work, context: work.dispatch(id, CloseExchange(reason=reason), context),
    )


def _parts(text: str, *names: str) -> dict[str, Any]:
    """``"71053,2,3.39 GBP"`` by name. The first part may hold commas; counts become numbers."""
    parts = text.rsplit(",", len(names) - 1)
    if len(parts) != len(names):
        raise UsageError(f"{text!r} is not {','.join(names)}: separate them by commas")
    return {
        name: int(part) if part.strip().isdigit() and name in ("line", "quantity") else part.strip()
        for name, part in zip(names, parts, strict=True)
    }


def _read(adapter: Any, option: str, given: Sequence[dict[str, Any]]) -> Any:
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UsageError(f"{option}: {wrong['loc'][-1]}: {wrong['msg'].lower()}") from error

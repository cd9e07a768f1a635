"""Stock over HTTP: levels and receipts."""

from typing import Annotated

from fastapi import APIRouter, Path, Response, status
from pydantic import Field

from application.access import AUDITOR
from application.shop import queries
from application.shop.access import CLERK, WAREHOUSE
from application.shop.read_models.stock_levels import StockLevel, stock_levels
from domain.decider import Missing
from domain.shop_values import Quantity, Sku
from domain.stock import ReceiveStock
from infrastructure.http.access import allowed
from infrastructure.http.commands import COMMAND_ERRORS, Done, Requested, entity_tag
from infrastructure.http.problems import documented
from infrastructure.http.reading import Reading, answers
from infrastructure.http.text import Body

router = APIRouter(prefix="/stock", tags=["stock"])

Code = Annotated[Sku, Path(alias="sku", examples=["85123A"])]
# A stock code may hold spaces and slashes, hence ``:path`` in the routes below.


class UnknownSku(Missing):
    """No stock has been recorded under this SKU."""


class Receipt(Body):
    quantity: Quantity = Field(examples=[100])


@router.post(
    "/{sku:path}/receipts",
    status_code=status.HTTP_201_CREATED,
    responses=documented(*COMMAND_ERRORS),
)
@allowed(WAREHOUSE)
async def receive_stock(code: Code, body: Receipt, request: Requested, response: Response) -> Done:
    """Goods have arrived."""
    command = ReceiveStock(receipt_id=request.make_id("receipt"), quantity=body.quantity)
    return await request.carry_out(code, command, response)


@router.get("/{sku:path}", responses=answers(UnknownSku))
@allowed(WAREHOUSE, CLERK, AUDITOR)
async def get_stock(code: Code, reading: Reading, response: Response) -> StockLevel:
    """Units on hand, reserved and available, as the read model has them."""
    level = reading.found(
        await queries.stock_level(await reading.of(stock_levels), code),
        UnknownSku(f"there is no SKU {code}; the case of a SKU matters"),
    )
    response.headers["ETag"] = entity_tag(level.version)
    return level

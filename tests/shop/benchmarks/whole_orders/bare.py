"""FastAPI with the models of the shop and no store: ``python -m ….bare PORT``.

What accepting an order cannot cost less than, on this machine and with these libraries.
"""

import sys
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request, Response, status

from application.shop.read_models.order_summary import OrderSummary
from infrastructure.http.commands import Done
from infrastructure.shop.http.orders import NewOrder


def app() -> FastAPI:
    """Places nothing, and shows the orders that were put there."""
    bare = FastAPI()
    shown: dict[str, OrderSummary] = {}

    @bare.post("/orders", status_code=status.HTTP_201_CREATED)
    async def place_order(body: NewOrder, response: Response) -> Done:
        id = str(uuid4())
        response.headers["Location"] = f"/orders/{id}"
        return Done(id=id, version=len(body.lines), events=["OrderPlaced"])

    @bare.get("/health/ready")
    async def ready() -> None: ...

    @bare.put("/orders/{order_id}")
    async def show(order_id: str, request: Request) -> None:
        shown[order_id] = OrderSummary.model_validate_json(await request.body())

    @bare.get("/orders/{order_id}")
    async def get_order(order_id: str) -> OrderSummary:
        return shown[order_id]

    return bare


if __name__ == "__main__":
    uvicorn.run(app(), port=int(sys.argv[1]), log_level="warning", access_log=False)

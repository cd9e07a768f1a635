"""What the fields of a filter hold: a field that was left empty asks for nothing."""

from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

from domain.orders import OrderStatus


def _given(text: Any) -> Any:
    return text.strip() or None if isinstance(text, str) else text


Word = Annotated[Annotated[str, StringConstraints(max_length=200)] | None, BeforeValidator(_given)]
Status = Annotated[OrderStatus | None, BeforeValidator(_given)]

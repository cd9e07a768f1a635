"""JSON Schemas of integration events."""

import json
from typing import Annotated, Literal

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel, ConfigDict, Field

from application import event_schemas
from application.event_schemas import RefersToItself
from application.integration_events import IntegrationEvent
from domain.values import Money


class ByCard(BaseModel):
    kind: Literal["card"]
    properties: int = 3  # as a keyword of JSON Schema is called


class ByVoucher(BaseModel):
    kind: Literal["voucher"]
    code: str


class Paid(IntegrationEvent, name="bill.paid"):
    """Somebody has paid."""

    amount: Money
    means: Annotated[ByCard | ByVoucher, Field(discriminator="kind")]
    split: tuple[int, str]
    before: ByCard | None = None


class Nested(BaseModel):
    within: "Nested | None" = None


class Endless(IntegrationEvent, name="bill.endless"):
    nested: Nested


def test_a_schema_stands_alone() -> None:
    """It refers to nothing, so it can stand in any document."""
    text = str(event_schemas.written(Paid))

    assert "$ref" not in text
    assert "$defs" not in text
    assert event_schemas.written(Paid)["properties"]["before"]["anyOf"][0] == {
        "title": "ByCard",
        "type": "object",
        "properties": {
            "kind": {"const": "card", "type": "string"},
            "properties": {"type": "integer", "default": 3},
        },
        "required": ["kind"],
    }


@pytest.mark.parametrize(
    ("split", "valid"), [([1, "a"], True), (["a", 1], False), ([1], False), ([1, "a", 2], False)]
)
def test_a_tuple_is_described_as_draft_7_does(split: list[object], valid: bool) -> None:
    """Later drafts have another keyword, which older validators ignore."""
    data = {"amount": "1.50 EUR", "means": {"kind": "voucher", "code": "x"}, "split": split}

    assert Draft7Validator(event_schemas.written(Paid)).is_valid(data) is valid


def test_a_field_with_a_default_may_be_missing() -> None:
    """Records that were published before it was added do not have it."""
    assert event_schemas.written(Paid)["required"] == ["amount", "means", "split"]
    assert event_schemas.read(Paid)["required"] == ["amount", "means", "split"]


def test_data_that_holds_its_own_type_is_refused() -> None:
    """Its schema would not end."""
    with pytest.raises(RefersToItself, match=r"bill\.endless\.v1: Nested holds a Nested"):
        event_schemas.written(Endless)


class Named(IntegrationEvent, name="bill.named"):
    """As a party with other habits writes it."""

    bill_id: str = Field(alias="billId")


class NamedAlike(Named, name="bill.named"):
    model_config = ConfigDict(serialize_by_alias=True)


def test_fields_have_the_names_that_are_in_the_data() -> None:
    """An alias is read; it is written only where the class says so."""
    assert event_schemas.read(Named)["required"] == ["billId"]
    for event in (Named, NamedAlike):
        data = event.model_validate({"billId": "b-1"}).model_dump_json()
        assert [*json.loads(data)] == event_schemas.written(event)["required"]

"""Which changes of a form leave its data readable."""

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.contracts.compatibility import unreadable
from tests.contracts.made_up_schemas import changed, instances, schemas
from tests.contracts.schema_shapes import Form, knowing_all


@given(schemas())
def test_a_form_reads_what_it_writes(schema: Form) -> None:
    """Nothing has changed, so nothing is unreadable, also where every field is to be known."""
    assert list(unreadable(schema, schema)) == []
    assert list(unreadable(schema, knowing_all(schema))) == []


@settings(suppress_health_check=[HealthCheck.too_slow])  # a loaded machine is no fault
@given(st.data())
def test_what_is_called_readable_is_read(data: st.DataObject) -> None:
    """No data of the writer is refused by a reader against which there was no objection."""
    writer = data.draw(schemas())
    reader = data.draw(changed(writer))
    assume(not list(unreadable(writer, reader)))

    for value in data.draw(st.lists(instances(writer), max_size=9)):
        assert Draft7Validator(reader).is_valid(value)


TEXT: Final[Form] = {"type": "string", "maxLength": 9}
COUNT: Final[Form] = {"type": "integer", "exclusiveMinimum": 0}


def of(required: str = "", **fields: Form) -> Form:
    """The schema of an object; ``required``: names, with spaces between them."""
    return {"type": "object", "properties": fields, "required": required.split()}


def nullable(schema: Form) -> Form:
    return {"anyOf": [schema, {"type": "null"}]}


WORSE: Final[dict[str, tuple[Form, Form, str]]] = {
    "a field is required that may be missing": (
        of("a", a=TEXT, b=TEXT),
        of("a b", a=TEXT, b=TEXT),
        "b: it may be missing, and is required",
    ),
    "a field is required that was not there": (
        of("a", a=TEXT),
        of("a b", a=TEXT, b=TEXT),
        "b: it may be missing, and is required",
    ),
    "null is not read": (
        of("a", a=nullable(TEXT)),
        of("a", a=TEXT),
        "a: null is not read, only string",
    ),
    "a type is another": (of("a", a=TEXT), of("a", a=COUNT), 'a: string {"maxLength": 9} is not'),
    "a type is narrower": (
        of("a", a={"type": "number"}),
        of("a", a={"type": "integer"}),
        "a: number is not read, only integer",
    ),
    "a value is not known": ({"enum": ["a", "b"]}, {"enum": ["a"]}, 'the data: "b" is not read'),
    "values are restricted": (TEXT, {"enum": ["a"]}, 'the data: string {"maxLength": 9} is not'),
    "a text is too long": (TEXT, {**TEXT, "maxLength": 8}, "more than 8 characters"),
    "a text is too short": (TEXT, {**TEXT, "minLength": 1}, "fewer than 1 characters"),
    "a text has another pattern": (TEXT, {**TEXT, "pattern": "^a"}, "pattern is "),
    "a text has another format": (TEXT, {**TEXT, "format": "uuid"}, "format is "),
    "a number is too small": (COUNT, {"type": "integer", "minimum": 2}, "as small as 1"),
    "a number is too large": (COUNT, {**COUNT, "maximum": 5}, "as large as can be"),
    "a number is on the edge": (
        {"type": "number", "minimum": 0},
        {"type": "number", "exclusiveMinimum": 0},
        "as small as 0",
    ),
    "a number is between the steps": (COUNT, {**COUNT, "multipleOf": 2}, "multiples of 2"),
    "an item is not read": (
        {"type": "array", "items": COUNT},
        {"type": "array", "items": TEXT},
        "[]: integer",
    ),
    "an array is empty": (
        {"type": "array", "items": TEXT},
        {"type": "array", "items": TEXT, "minItems": 1},
        "fewer than 1 items",
    ),
    "a repetition is not read": (
        {"type": "array", "items": TEXT},
        {"type": "array", "items": TEXT, "uniqueItems": True},
        "uniqueItems is true",
    ),
    "a field may be missing, and means something else then": (
        of(a={**TEXT, "default": "x"}),
        of(a={**TEXT, "default": "y"}),
        'a: where it is missing, "x" is meant, and "y"',
    ),
    "a field is not known to a reader that wants to know all": (
        of("a", a=TEXT, b=TEXT),
        knowing_all(of("a", a=TEXT)),
        "b: the field is not known",
    ),
    "a mapping has other values": (
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "additionalProperties": COUNT},
        "*: string",
    ),
    "a mapping has keys of another kind": (
        {"type": "object", "patternProperties": {"a": TEXT}},
        {"type": "object", "patternProperties": {"b": TEXT}},
        "keys are restricted",
    ),
    "a mapping with such keys has other values": (
        {"type": "object", "patternProperties": {"a": TEXT}},
        {"type": "object", "patternProperties": {"a": COUNT}},
        "*: string",
    ),
    "a keyword is not understood": (TEXT, {**TEXT, "not": {"const": "a"}}, "not is "),
}
BETTER: Final[dict[str, tuple[Form, Form]]] = {
    "a field that may be missing": (of("a", a=TEXT), of("a", a=TEXT, b={**TEXT, "default": ""})),
    "a field is not needed any more": (of("a", a=TEXT), of(a={**TEXT, "default": ""})),
    "a field is ignored": (of("a b", a=TEXT, b=TEXT), of("a", a=TEXT)),
    "null is read": (of("a", a=TEXT), of("a", a=nullable(TEXT))),
    "a type is wider": ({"type": "integer"}, {"type": "number"}),
    "a value more is known": ({"const": "a"}, {"enum": ["a", "b"]}),
    "a restriction is gone": ({**TEXT, "pattern": "^a"}, {"type": "string"}),
    "the same limit, written otherwise": (COUNT, {"type": "integer", "minimum": 1}),
    "words about it": (TEXT, {**TEXT, "description": "A text.", "title": "Text"}),
}


def wrapped() -> st.SearchStrategy[Callable[[Form], Form]]:
    """Puts a schema somewhere within another."""
    layers: list[Callable[[Form], Form]] = [
        lambda schema: of("x", x=schema),
        lambda schema: of(y=schema),
        lambda schema: {"type": "array", "items": schema},
        lambda schema: {"type": "array", "items": [schema], "minItems": 1, "maxItems": 1},
        lambda schema: {"type": "object", "additionalProperties": schema},
        nullable,
    ]
    return st.lists(st.sampled_from(layers), max_size=3).map(_one_after_the_other)


def _one_after_the_other(
    layers: list[Callable[[Form], Form]],
) -> Callable[[Form], Form]:
    def within(schema: Form) -> Form:
        for layer in layers:
            schema = layer(schema)
        return schema

    return within


@pytest.mark.parametrize("change", WORSE)
def test_the_objection_names_the_place_and_the_reason(change: str) -> None:
    """A person reads it, and has to know what to change back."""
    writer, reader, reason = WORSE[change]

    [line] = unreadable(writer, reader)

    assert reason in line


@given(st.sampled_from(sorted(WORSE)), wrapped())
def test_what_cannot_be_read_is_found_at_any_depth(
    change: str, within: Callable[[Form], Form]
) -> None:
    """In fields, in items, in the values of mappings and among alternatives."""
    writer, reader, _ = WORSE[change]

    assert list(unreadable(within(writer), within(reader)))


@given(st.sampled_from(sorted(BETTER)), wrapped())
def test_what_can_be_read_is_allowed_at_any_depth(
    change: str, within: Callable[[Form], Form]
) -> None:
    """A check that objects to harmless changes would soon be switched off."""
    writer, reader = BETTER[change]

    assert list(unreadable(within(writer), within(reader))) == []

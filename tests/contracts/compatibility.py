"""Whether all data of one form can be read in another form, judged by their JSON Schemas.

A writer writes the fields that its schema names, and no others. A reader ignores fields that its
schema does not name. The judgement is strict: what it cannot prove, it reports. It knows all that
pydantic says of a model, in draft 7. Any other keyword has to be the same in both schemas.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft7Validator

Schema = Mapping[str, Any] | bool
_Alternative = dict[str, Any]
"""A schema of one type or of one value, without alternatives."""

_PROSE: Final = {"title", "description", "examples", "default", "deprecated", "$comment"}
_LENGTHS: Final = {  # at least, at most, and what they count
    "string": ("minLength", "maxLength", "characters"),
    "array": ("minItems", "maxItems", "items"),
    "object": ("minProperties", "maxProperties", "fields"),
}
_JUDGED: Final = {
    *("type", "enum", "const", "anyOf", "multipleOf"),
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"),
    *("items", "additionalItems", "properties", "required", "additionalProperties"),
    *("patternProperties", "propertyNames"),
    *(name for least, most, _ in _LENGTHS.values() for name in (least, most)),
}
_SHOWN: Final = 60  # characters of a schema in a message


def unreadable(writer: Schema, reader: Schema, at: str = "") -> Iterator[str]:
    """What the writer may write that the reader does not read: ``lines[].amount: …`` for each."""
    if read := _plain(reader):  # else anything is
        for alternative in _alternatives(writer):
            yield from _unread(alternative, read, at)


def _plain(schema: Schema) -> _Alternative:
    """Without prose, and without ``true`` and ``false`` in place of a schema."""
    if isinstance(schema, bool):
        return {} if schema else {"enum": []}
    return {key: value for key, value in schema.items() if key not in _PROSE}


def _alternatives(writer: Schema) -> Iterator[_Alternative]:
    """One for each type and each value; together they allow what the schema allows, or more."""
    schema = _plain(writer)
    types = schema.get("type")
    if "anyOf" in schema:
        besides = {key: value for key, value in schema.items() if key != "anyOf"}
        for branch in schema["anyOf"]:
            yield from _alternatives({**besides, **_plain(branch)})
    elif "enum" in schema:
        yield from ({"const": value} for value in schema["enum"])
    elif isinstance(types, list):
        yield from ({**schema, "type": type} for type in types)
    else:
        yield schema


def _unread(writer: _Alternative, reader: _Alternative, at: str) -> Iterator[str]:
    if "anyOf" in reader:
        yield from _unread_by_each(writer, reader["anyOf"], at)
        reader = {key: value for key, value in reader.items() if key != "anyOf"}
    if "const" in writer:
        yield from _value_unread(writer["const"], reader, at)
        return
    if problem := _of_other_type(writer, reader):
        yield _line(at, problem)
        return
    yield from (_line(at, problem) for problem in _out_of_bounds(writer, reader))
    yield from _items_unread(writer, reader, at)
    yield from _fields_unread(writer, reader, at)


def _unread_by_each(writer: _Alternative, branches: list[Schema], at: str) -> Iterator[str]:
    """Empty if one of the branches reads it; else what the likeliest one does not read."""
    tried = [list(_unread(writer, _plain(branch), at)) for branch in branches]
    if not all(tried):
        return
    likely = [
        problems
        for branch, problems in zip(branches, tried, strict=True)
        if not _of_other_type(writer, _plain(branch)) and "const" not in writer
    ]
    yield from likely[0] if len(likely) == 1 else [_line(at, f"{_shown(writer)} is not read")]


def _value_unread(value: Any, reader: _Alternative, at: str) -> Iterator[str]:
    if "format" in reader or not Draft7Validator(reader).is_valid(value):
        yield _line(at, f"{_json(value)} is not read")


def _of_other_type(writer: _Alternative, reader: _Alternative) -> str | None:
    """Why the type is not read, or why not all its values are."""
    if "const" in reader or "enum" in reader:
        values = reader.get("enum", [reader.get("const")])
        if writer.get("type") == "null" and None in values:
            return None
        return f"{_shown(writer)} is not read, only {', '.join(map(_json, values)) or 'nothing'}"
    types = reader.get("type")
    if types is None:
        return None
    known = [types] if isinstance(types, str) else types
    written = writer.get("type")
    if written in known or (written == "integer" and "number" in known):
        return None
    return f"{_shown(writer)} is not read, only {' or '.join(known)}"


def _out_of_bounds(writer: _Alternative, reader: _Alternative) -> Iterator[str]:
    for least, most, counted in _LENGTHS.values():
        if (bound := reader.get(least, 0)) > writer.get(least, 0):
            yield f"fewer than {bound} {counted} are not read"
        if (bound := reader.get(most, math.inf)) < writer.get(most, math.inf):
            yield f"more than {bound} {counted} are not read"
    whole = writer.get("type") == "integer"
    if _least(reader, whole) > _least(writer, whole):
        yield f"numbers as small as {_bound(_least(writer, whole))} are not read"
    if _most(reader, whole) < _most(writer, whole):
        yield f"numbers as large as {_bound(_most(writer, whole))} are not read"
    step = reader.get("multipleOf", 1)
    if "multipleOf" in reader and writer.get("multipleOf", step / 2) % step:
        yield f"numbers that are not multiples of {step} are not read"
    for key in sorted({*reader} - _JUDGED):
        if _json(reader[key]) != _json(writer.get(key)):
            yield f"{key} is {_json(reader[key])} where it is read, which cannot be relied on"


def _least(schema: _Alternative, whole: bool) -> tuple[float, int]:
    """The smallest number; 1 as the second if it is just above that."""
    closed, opened = schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf)
    if whole and opened > -math.inf:
        closed, opened = max(closed, math.floor(opened) + 1), -math.inf
    if whole and closed > -math.inf:
        closed = math.ceil(closed)
    return max((closed, 0), (opened, 1))


def _most(schema: _Alternative, whole: bool) -> tuple[float, int]:
    """The largest number; -1 as the second if it is just below that."""
    closed, opened = schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf)
    if whole and opened < math.inf:
        closed, opened = min(closed, math.ceil(opened) - 1), math.inf
    if whole and closed < math.inf:
        closed = math.floor(closed)
    return min((closed, 0), (opened, -1))


def _bound(bound: tuple[float, int]) -> str:
    return "can be" if math.isinf(bound[0]) else f"{bound[0]}"


def _items_unread(writer: _Alternative, reader: _Alternative, at: str) -> Iterator[str]:
    """Of arrays: those that have a place of their own, and all after them."""
    if writer.get("type") not in (None, "array"):
        return
    places = max(len(one["items"]) if _is_tuple(one) else 0 for one in (writer, reader))
    longest = writer.get("maxItems", math.inf)
    for place in range(min(places, longest)):
        yield from unreadable(_item(writer, place), _item(reader, place), f"{at}[{place}]")
    if longest > places:
        yield from unreadable(_item(writer, places), _item(reader, places), f"{at}[]")


def _is_tuple(schema: _Alternative) -> bool:
    return isinstance(schema.get("items"), list)


def _item(schema: _Alternative, place: int) -> Any:  # a schema
    items = schema.get("items", True)
    if not _is_tuple(schema):
        return items
    return items[place] if place < len(items) else schema.get("additionalItems", True)


def _fields_unread(writer: _Alternative, reader: _Alternative, at: str) -> Iterator[str]:
    """Of objects: fields by name, and the values of mappings."""
    if writer.get("type") not in (None, "object"):
        return
    fields, known = writer.get("properties", {}), reader.get("properties", {})
    if _keys(writer) != _keys(reader):
        yield _line(at, "a mapping whose keys are restricted has to keep its restriction")
        return
    for pattern, values in reader.get("patternProperties", {}).items():
        yield from unreadable(writer["patternProperties"][pattern], values, _field(at, "*"))
    needed = {*reader.get("required", ())}
    for name in sorted(needed.difference(writer.get("required", ()))):
        yield _line(_field(at, name), "it may be missing, and is required where it is read")
    others = writer.get("additionalProperties", not fields and "type" not in writer)
    for name in sorted({*fields, *known}):
        if name in known:
            yield from unreadable(fields.get(name, others), known[name], _field(at, name))
            if name not in needed:
                yield from _default_changed(fields.get(name), known[name], _field(at, name))
        else:
            yield from _unknown(fields[name], reader, _field(at, name))
    if others is not False:
        yield from unreadable(others, reader.get("additionalProperties", True), _field(at, "*"))


def _keys(schema: _Alternative) -> object:
    """What restricts the keys of a mapping, if anything does."""
    if not {"patternProperties", "propertyNames"} & {*schema}:
        return None
    named = {*schema.get("properties", {})}
    return {*schema.get("patternProperties", {})}, _json(schema.get("propertyNames")), named


def _unknown(written: Schema, reader: _Alternative, at: str) -> Iterator[str]:
    """A field that the reader does not name."""
    others = reader.get("additionalProperties", True)
    if others is False:
        yield _line(at, "the field is not known where it is read")
    else:
        yield from unreadable(written, others, at)


def _default_changed(written: Any, known: Any, at: str) -> Iterator[str]:
    """A field that may be missing: its absence has to mean what it meant."""
    both = isinstance(written, dict) and isinstance(known, dict)
    if both and "default" in written and "default" in known:
        meant, means = _json(written["default"]), _json(known["default"])
        if meant != means:
            yield _line(at, f"where it is missing, {meant} is meant, and {means} would be read")


def _field(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _line(at: str, problem: str) -> str:
    return f"{at or 'the data'}: {problem}"


def _shown(schema: _Alternative) -> str:
    """What is written, briefly."""
    if "const" in schema:
        return _json(schema["const"])
    bounds = {key: value for key, value in schema.items() if key in _JUDGED and key != "type"}
    of = _json(bounds) if bounds and not {"properties", "items"} & {*bounds} else ""
    return " ".join(filter(None, (str(schema.get("type", "any value")), of)))[:_SHOWN]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)

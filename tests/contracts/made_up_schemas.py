"""Random JSON Schemas as pydantic makes them, data that follows them, and changes of them."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

from tests.contracts.schema_shapes import Form

Path = tuple[str | int, ...]

_NAMES: Final = ("a", "b", "c")
_VALUES: Final = ("a", "ab", 1, 2, True, None)
_SMALL: Final = st.integers(-3, 3)
_NUMBERS: Final = st.integers(-10, 10).map(lambda halves: halves / 2)
_ANYTHING: Final = st.sampled_from([None, False, 0, 1.5, "", "b", [], [1], {}, {"a": "b"}])


@st.composite
def _bounded(draw: st.DrawFn, form: Form, least: str, most: str, smallest: int) -> Form:
    low = draw(st.none() | st.integers(smallest, smallest + 2))
    high = draw(st.none() | st.integers(smallest + 3, smallest + 5))
    return form | ({least: low} if low is not None else {}) | ({most: high} if high else {})


_NUMERIC: Final = st.sampled_from(["integer", "number"]).flatmap(
    lambda type: (
        _bounded({"type": type}, "minimum", "maximum", -3)
        | _bounded({"type": type}, "exclusiveMinimum", "exclusiveMaximum", -3)
        | st.just({"type": type, "multipleOf": 2})
    )
)
_TEXT: Final = st.sampled_from([{}, {"pattern": "a"}, {"pattern": "^[ab]+$"}]).flatmap(
    lambda form: _bounded({"type": "string", **form}, "minLength", "maxLength", 0)
)
_CHOICE: Final = (
    st.lists(st.sampled_from(_VALUES), min_size=1, max_size=3, unique_by=repr).map(
        lambda values: {"enum": values}
    )
    | st.sampled_from(_VALUES).map(lambda value: {"const": value})
    | st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}])
)


@st.composite
def _objects(draw: st.DrawFn, forms: st.SearchStrategy[Form]) -> Form:
    fields = draw(st.dictionaries(st.sampled_from(_NAMES), forms))
    required = draw(st.sets(st.sampled_from(sorted(fields)))) if fields else ()
    return {"type": "object", "properties": fields, "required": sorted(required)}


def _with_parts(forms: st.SearchStrategy[Form]) -> st.SearchStrategy[Form]:
    lists = forms.flatmap(
        lambda items: _bounded({"type": "array", "items": items}, "minItems", "maxItems", 0)
    )
    tuples = st.lists(forms, min_size=1, max_size=2).map(
        lambda items: {
            "type": "array",
            "items": items,
            "minItems": len(items),
            "maxItems": len(items),
        }
    )
    mappings = forms.map(lambda values: {"type": "object", "additionalProperties": values})
    either = st.lists(forms, min_size=2, max_size=2).map(lambda branches: {"anyOf": branches})
    return lists | tuples | mappings | either | _objects(forms)


@cache
def schemas() -> st.SearchStrategy[Form]:
    """Of all kinds, some within others."""
    return st.recursive(_NUMERIC | _TEXT | _CHOICE, _with_parts, max_leaves=4)


def instances(form: Form) -> st.SearchStrategy[Any]:
    """Data with the fields that the schema names, and no others."""
    if "anyOf" in form:
        return st.one_of(*map(instances, form["anyOf"]))
    if "enum" in form or "const" in form:
        return st.sampled_from(form.get("enum", [form.get("const")]))
    match form.get("type"):
        case "integer" | "number" as type:
            numbers = _SMALL if type == "integer" else _NUMBERS
            return numbers.filter(lambda number: _within(number, form))
        case "string":
            texts = st.text("ab", min_size=form.get("minLength", 0), max_size=_most(form, "Length"))
            return texts.filter(lambda text: re.search(form.get("pattern", ""), text) is not None)
        case "array" if isinstance(form["items"], list):
            return st.tuples(*map(instances, form["items"])).map(list)
        case "array":
            least, most = form.get("minItems", 0), _most(form, "Items")
            return st.lists(instances(form["items"]), min_size=least, max_size=most)
        case "object" if "properties" in form:
            return _fields(form["properties"], form["required"])
        case "object":
            return st.dictionaries(st.sampled_from(_NAMES), instances(form["additionalProperties"]))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return _ANYTHING


def _within(number: float, form: Form) -> bool:
    return bool(
        form.get("minimum", -9) <= number <= form.get("maximum", 9)
        and form.get("exclusiveMinimum", -9) < number < form.get("exclusiveMaximum", 9)
        and number % form.get("multipleOf", 0.5) == 0
    )


def _most(form: Form, counted: str) -> int:
    most: int = form.get(f"max{counted}", form.get(f"min{counted}", 0) + 2)
    return most


def _fields(fields: Mapping[str, Form], required: list[str]) -> st.SearchStrategy[Any]:
    drawn = {name: instances(form) for name, form in fields.items()}
    optional = {name: one for name, one in drawn.items() if name not in required}
    return st.fixed_dictionaries(
        {name: one for name, one in drawn.items() if name in required}, optional=optional
    )


@cache
def _some_object() -> st.SearchStrategy[Form]:
    return _objects(schemas())


@st.composite
def changed(draw: st.DrawFn, form: Form) -> Form:
    """The schema with something changed in one place."""
    path = draw(st.sampled_from(list(_places(form))))
    found: Form = _replaced(form, path, draw(_change(_at(form, path))))
    return found


def _places(form: Any, path: Path = ()) -> Iterator[Path]:
    """Where there is a schema."""
    yield path
    for name, one in form.get("properties", {}).items():
        yield from _places(one, (*path, "properties", name))
    for key in ("items", "anyOf", "additionalProperties"):
        if isinstance(below := form.get(key), list):
            for number, one in enumerate(below):
                yield from _places(one, (*path, key, number))
        elif isinstance(below, dict):
            yield from _places(below, (*path, key))


def _at(node: Any, path: Path) -> Any:
    return _at(node[path[0]], path[1:]) if path else node


def _replaced(node: Any, path: Path, by: Form) -> Any:
    if not path:
        return by
    copy = node.copy()
    copy[path[0]] = _replaced(node[path[0]], path[1:], by)
    return copy


def _change(form: Form) -> st.SearchStrategy[Form]:
    """All that one change can make of it."""
    changes = [schemas(), st.just({"anyOf": [form, {"type": "null"}]})]
    changes += [st.just(branch) for branch in form.get("anyOf", ())]
    changes += [
        st.just({other: value for other, value in form.items() if other != key}) for key in form
    ]
    changes += [
        st.just({**form, key: limit})
        for key in form
        if isinstance(form[key], int) and key != "const"
        for limit in (form[key] - 1, form[key] + 1)
        if limit >= (1 if key == "multipleOf" else 0)
    ]
    if "properties" in form:
        changes.append(_some_object().map(lambda other: _merged(form, other)))
        changes.append(
            st.sets(st.sampled_from(_NAMES)).map(lambda names: {**form, "required": sorted(names)})
        )
    return st.one_of(changes)


def _merged(form: Form, other: Form) -> Form:
    return {**form, "properties": {**other["properties"], **form["properties"]}}

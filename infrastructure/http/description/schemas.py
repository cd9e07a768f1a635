"""JSON schemas in a few words: what a field is, which fields there are, and an example."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Json = Mapping[str, Any]

_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minimum": "{} or more",
    "exclusiveMinimum": "more than {}",
    "maximum": "{} or less",
}


def named(name: str) -> str:
    """The anchor of a shape."""
    return f"shape-{escape(name)}"


def kind(schema: Json) -> str:
    """What it is, as HTML: ``integer, more than 0``."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f'<a href="#{named(name)}">{escape(name)}</a>'
    if either := schema.get("anyOf"):
        return " or ".join(kind(one) for one in either)
    if words := schema.get("enum"):
        return " or ".join(f"<code>{escape(str(word))}</code>" for word in words)
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    what = schema.get("type", "anything")
    if what == "array":
        what = f"list of {kind(schema.get('items', {}))}"
    elif what == "null":
        what = "none"
    else:
        what = escape(schema.get("format", what))
    return ", ".join([what, *_bounds(schema)])


def fields(schema: Json, schemas: Json) -> Iterator[tuple[str, str, str, bool]]:
    """Name, kind, description, and whether it is needed."""
    shape = _resolved(schema, schemas)
    for name, of in shape.get("properties", {}).items():
        said = of.get("description", "")
        if shown := of.get("examples"):
            said = "; ".join(filter(None, [said, f"e.g. `{shown[0]}`"]))
        yield name, kind(of), said, name in shape.get("required", ())


def example(schema: Json, schemas: Json) -> Any:
    """Something of that shape."""
    shape = _resolved(schema, schemas)
    if shown := shape.get("examples"):
        return shown[0]
    match shape.get("type"):
        case "object":
            return {name: example(of, schemas) for name, of in shape.get("properties", {}).items()}
        case "array":
            return [example(shape.get("items", {}), schemas)]
        case "integer" | "number":
            return 1
    either = [one for one in shape.get("anyOf", ()) if one.get("type") != "null"]
    return example(either[0], schemas) if either else "…"


def _resolved(schema: Json, schemas: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = schemas.get(name, {}) if name else schema
    return found


def _bounds(schema: Json) -> Iterator[str]:
    for name, words in _BOUNDS.items():
        if name in schema:
            yield words.format(f"{schema[name]:,g}")

"""The reference of the settings, made from their model: ``python -m tests.reference.settings``."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.reference.program import PROGRAM

_INTRODUCTION: Final = """# Settings

*Reference.* Every setting is an environment variable, or a line in a file `.env` in the working
directory; the environment comes first. An empty value counts as unset. The names that settings had
in earlier releases, without the prefix, are understood too. Settings are checked at the start: a
value that cannot be used, a setting with two values, or a name that looks like a misspelt setting,
ends the process with exit code 2 and a line for each. This page is printed from the source by
`make reference`.

| setting | type | default | meaning |
|---|---|---|---|
"""
_LIMITS: Final = {
    "minimum": "from {:g}",
    "exclusiveMinimum": "above {:g}",
    "maximum": "to {:g}",
    "exclusiveMaximum": "below {:g}",
}
_TYPES: Final = {"string": "text", "integer": "integer", "number": "number", "array": "list"}
_FORMATS: Final = {"path": "path", "password": "secret"}


def page() -> str:
    """The whole page, in Markdown."""
    return _INTRODUCTION + "".join(f"| {' | '.join(row)} |\n" for row in _rows())


def _rows() -> Iterator[tuple[str, str, str, str]]:
    model = PROGRAM.settings
    for name, field in model.model_json_schema()["properties"].items():
        variable, meaning = f"`{model.name_of(name)}`", model.description_of(name)
        yield variable, _type(field), _default(field.get("default")), meaning


def _type(field: Mapping[str, Any]) -> str:
    """In words: ``integer, from 0 to 65535``."""
    if "anyOf" in field:  # the other one is null
        return _type(next(kind for kind in field["anyOf"] if kind["type"] != "null"))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    name = _FORMATS.get(field.get("format", "")) or _TYPES[field["type"]]
    limits = [words.format(field[limit]) for limit, words in _LIMITS.items() if limit in field]
    return f"{name}, {' '.join(limits)}" if limits else name


def _default(value: Any) -> str:
    if value in (None, []):
        return "unset"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    print(page(), end="")

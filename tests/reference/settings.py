"""The reference of the settings, made from their model: ``python -m tests.reference.settings``."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from tests.reference.program import PROGRAM

_INTRODUCTION: Final = """# Settings

*Reference.* Every setting is an environment variable, or a line in a file `.env` in the working
directory; the environment comes first. An empty value counts as unset. The names that settings had
in earlier releases, without the prefix, are understood too. A secret, or an address, may stand in a
file: `HEADWATER_API_TOKEN_FILE` names it. Settings are checked at the start: a value that cannot be
used, a setting with two values, or a name that looks like a misspelt setting, ends the process with
exit code 2 and a line for each. This page is printed from the source by `make reference`.
"""
_HEAD: Final = """
## {}

| setting | type | default | meaning |
|---|---|---|---|
"""
_LIMITS: Final = {
    "minimum": "from {:g}",
    "exclusiveMinimum": "above {:g}",
    "maximum": "to {:g}",
    "exclusiveMaximum": "below {:g}",
}
_TYPES: Final = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "`true` or `false`",
    "array": "list",
}
_FORMATS: Final = {"path": "path", "password": "secret"}


def page() -> str:
    """The whole page, in Markdown."""
    return _INTRODUCTION + "".join(map(_section, reversed(PROGRAM.settings.mro())))


def _section(part: type) -> str:
    """The settings that are declared in this class, under the title that it has."""
    own = {field for field in PROGRAM.settings.model_fields if _declares(field) is part}
    rows = "".join(f"| {' | '.join(row)} |\n" for row in _rows(own))
    title = (part.__doc__ or "").partition("\n")[0].removesuffix(".")
    return _HEAD.format(title) + rows if rows else ""


def _declares(field: str) -> type:
    """The class that has it first; one that extends that class may describe it anew."""
    declared = (part for part in reversed(PROGRAM.settings.mro()) if hasattr(part, "model_fields"))
    return next(part for part in declared if field in part.model_fields)


def _rows(fields: Collection[str]) -> Iterator[tuple[str, str, str, str]]:
    model = PROGRAM.settings
    for name, field in model.model_json_schema()["properties"].items():
        if name in fields:
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
    if isinstance(value, bool):
        return f"`{value}`".lower()
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    print(page(), end="")

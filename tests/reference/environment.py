"""An example of a file ``.env``, made from the settings: ``python -m tests.reference.environment``.

Each setting is commented out, with its default, so that a copy of the file changes nothing.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from tests.reference.program import PROGRAM

_INTRODUCTION: Final = """\
# The settings, with their defaults. Copy this file to .env, and remove the # before those that
# you set. Keep .env out of version control: it has secrets. The environment comes first.
# Printed from the source by `make reference`, as docs/reference/settings.md.
"""
_SENTENCES: Final = re.compile(r"(?<=\.) (?=[A-Z])")


def page() -> str:
    """The whole file: a paragraph for each setting."""
    return "\n".join([_INTRODUCTION, *_paragraphs()])


def _paragraphs() -> Iterator[str]:
    model = PROGRAM.settings
    for name, field in model.model_json_schema()["properties"].items():
        sentences = _SENTENCES.split(model.description_of(name).replace("`", ""))
        meaning = "\n".join(f"# {sentence}" for sentence in sentences)
        yield f"{meaning}\n# {model.name_of(name)}={_value(field.get('default'))}\n"


def _value(default: Any) -> str:
    """As a variable has it; empty where nothing is set."""
    if default in (None, []):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


if __name__ == "__main__":
    print(page(), end="")

"""The reference's own names, where a service has its answers."""

import json
import re
from typing import Final

OPENING: Final = ("@@{", "@@%", "@@#")
"""What begins an expression of the template; the source never has it."""

_NAME: Final = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=\\[bnrt]))"  # behind an escape, too: "\nHEADWATER_HOME=x"
    r"(headwater_(?=[a-z*{])|(?:headwater|HEADWATER|Headwater)(?![a-z]))"
)
_ANSWER: Final = {
    "headwater": "@@{ cli }@@",
    "headwater_": "@@{ package }@@_",
    "HEADWATER": "@@{ package|upper }@@",
    "Headwater": "@@{ name }@@",
}
_PARAMETER: Final = re.compile(r"(?<=')headwater(?=\.[a-z])")
"""Of a database, which allows no hyphen there: ``'headwater.announced'``."""
KEPT: Final = "made with the Headwater template"
"""The one sentence in which the name stays."""


_ROOM: Final = "@@{ 'shop' if with_shop else package }@@"
_OF_THE_SHOP: Final = re.compile(r"\b((?:application|infrastructure|tests)\.|SERVICE := )shop\b")
_TESTS_OF_THE_SHOP: Final = '    "tests.shop",\n'
_FIRST_PAGE: Final = '@@% if with_tiny %@@    "domain.@@{ aggregates }@@",\n@@% endif %@@'


def with_own_rooms(text: str) -> str:
    """The same, in which the rooms of the service take the place of the shop's."""
    text = text.replace(_TESTS_OF_THE_SHOP, _TESTS_OF_THE_SHOP + _FIRST_PAGE)
    return _OF_THE_SHOP.sub(rf"\1{_ROOM}", text)


def named(text: str) -> str:
    """The text with answers in place of the names."""
    parts = _PARAMETER.sub(_ANSWER["headwater_"].removesuffix("_"), text).split(KEPT)
    return KEPT.join(_NAME.sub(lambda found: _ANSWER[found[1]], part) for part in parts)


_FORMATTED_THERE: Final = (
    "infrastructure/monitoring",
    "infrastructure/saga_metrics.py",
    "tests/*.py",
    "tests/delivery",
    "tests/e2e",
    "tests/infrastructure",
    "tests/servers",
)
_AND_OF_THE_SHOP: Final = ("infrastructure/shop", "tests/shop")
"""Where a name that is longer or shorter takes more lines or fewer."""
_PROJECT: Final = {
    "An EventStoreDB-backed domain service template: "
    "event sourcing and CQRS in Python, done whole.": "@@{ description }@@",
    'ignore = [\n    "N818"': "ignore = [\n"
    '    "E501", # lines of the kit have the names of the service in them\n    "N818"',
    'exclude = ["*.md"] #': f"exclude = {json.dumps([*_FORMATTED_THERE, '*.md'])[:-1]}"
    f"@@% if with_shop %@@, {json.dumps(_AND_OF_THE_SHOP)[1:-1]}@@% endif %@@]"
    " # the kit is formatted under a name of its own;",
    'license = "MIT"': (
        "license = \"@@{ 'LicenseRef-Proprietary' if licence == 'proprietary' else licence }@@\""
    ),
}


def of_the_project(path: str, text: str) -> str:
    """What ``pyproject.toml`` says of the project itself."""
    for said, answer in _PROJECT.items() if path == "pyproject.toml" else ():
        text = text.replace(said, answer)
    return text

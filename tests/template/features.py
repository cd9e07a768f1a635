"""What a service can be made with: the hidden answers of ``copier.yml``, which conditions name."""

from collections.abc import Mapping
from typing import Final

import yaml

from tests.code_names import ROOT

PREFIX: Final = "with_"
"""What the hidden answer of a feature begins with."""

QUESTIONS: Final[Mapping[str, Mapping[str, str]]] = yaml.safe_load(
    (ROOT / "copier.yml").read_text().rpartition("\n---\n")[2]
)

FEATURES: Final[Mapping[str, str]] = {
    name.removeprefix(PREFIX): question["default"].strip("@{} ")
    for name, question in QUESTIONS.items()
    if name.startswith(PREFIX)
}
"""Each feature, and the expression of answers that it stands for."""

"""The example of a ``.env`` file: a copy of it sets nothing, and each line is a setting."""

import re

from dotenv import dotenv_values

from infrastructure.settings.reading import names_of
from tests.documentation import ROOT
from tests.reference import environment
from tests.reference.program import PROGRAM

FILE = ROOT / ".env.example"


def test_the_example_is_that_of_the_source() -> None:
    """It is what `make reference` prints."""
    assert FILE.read_text() == environment.page(), ".env.example: run `make reference`"


def test_a_copy_of_the_example_sets_nothing() -> None:
    """All settings keep their defaults until somebody removes a ``#``."""
    assert dotenv_values(FILE) == {}


def test_each_setting_is_in_the_example_and_no_secret_has_a_value() -> None:
    """Without the ``#``, each line sets the setting of that name to its default."""
    model = PROGRAM.settings
    lines = dict(re.findall(r"^# ([A-Z_0-9]+)=(.*)$", FILE.read_text(), re.MULTILINE))
    fields = {names_of(model, field)[0]: field for field in model.model_fields}
    secrets = [
        name for name, field in fields.items() if "SecretStr" in repr(model.model_fields[field])
    ]

    assert [*lines] == [*fields]
    assert secrets
    assert {lines[name] for name in secrets} == {""}

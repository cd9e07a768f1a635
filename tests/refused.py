"""What is said of a setting that cannot be used."""

import pytest

from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse


def refused(name: str, value: str) -> str:
    """The one line that refuses this value of this variable. It begins with the name."""
    with pytest.raises(InvalidSettings) as refusal:
        parse(Settings, {name: value})
    line = str(refusal.value)
    assert line.startswith(f"{name}: ")
    assert "\n" not in line
    return line

"""What a service says that cannot be let in by a server, or does not trust it."""

import re
from collections.abc import Mapping
from typing import Final

import pytest

from infrastructure.connecting import opened
from infrastructure.container import wired
from infrastructure.settings import InvalidSettings
from tests.sample.program import BANK
from tests.stores import settings_of

HIDDEN: Final = "sesame"
"""What every password of these tests has in it."""


async def refused_at_start(given: Mapping[str, str], part: str) -> str:
    """Why this part cannot be opened: one line, which begins with a setting, without the secret."""
    with pytest.raises(InvalidSettings) as caught:
        async with opened(wired(BANK, settings_of(given)), part):
            pass
    return explained(caught.value)


def explained(error: Exception) -> str:
    """The message, which has to begin with the name of a setting, and to keep the secret."""
    reason = str(error)
    assert re.match(r"HEADWATER_[A-Z0-9_]+( and HEADWATER_[A-Z0-9_]+)?: ", reason)
    assert HIDDEN not in reason
    assert "\n" not in reason
    return reason

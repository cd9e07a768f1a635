"""Which release this is: of the service, of the kit in it, and of the template it was made from."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Final

KIT: Final = "0.1.0"
"""The release of the kit: of all that no service changes."""
_CHECKOUT: Final = Path(__file__).parents[1]
_ANSWERS: Final = ".copier-answers.yml"
_MADE_FROM: Final = re.compile(r"^_commit: *['\"]?([^\s'\"]+)", re.MULTILINE)


def described(service: str, distribution: str, checkout: Path = _CHECKOUT) -> str:
    """``bank 2.0.1 (kit 0.1.0, made from v0.1.0 of the template)``.

    The template is named where the service runs from its checkout, which has the answers.
    """
    parts = [f"kit {KIT}"]
    if made_from := _made_from(checkout):
        parts.append(f"made from {made_from} of the template")
    return f"{service} {version(distribution)} ({', '.join(parts)})"


def _made_from(checkout: Path) -> str | None:
    try:
        answers = checkout.joinpath(_ANSWERS).read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return None
    found = _MADE_FROM.search(answers)
    return found[1] if found else None

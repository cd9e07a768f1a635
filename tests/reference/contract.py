"""The contract with other systems: ``python -m tests.reference.contract``."""

from infrastructure.asyncapi import document
from infrastructure.visible import visible_json
from tests.reference.program import PROGRAM


def page() -> str:
    """The whole document, as the command ``bus contract`` prints it."""
    return visible_json(document(PROGRAM)) + "\n"


if __name__ == "__main__":
    print(page(), end="")

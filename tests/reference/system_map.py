"""The map of the system: ``python -m tests.reference.system_map``."""

from application.system_map import system_map
from infrastructure.system_map import picture
from tests.reference.program import PROGRAM


def page() -> str:
    """The whole picture, as the command ``map --svg`` prints it."""
    return picture(system_map(PROGRAM.service))


if __name__ == "__main__":
    print(page(), end="")

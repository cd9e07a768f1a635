"""The entry point: ``library``."""

from infrastructure.cli.main import main as run
from infrastructure.library.program import PROGRAM


def main() -> None:
    """Run one command of the library."""
    run(PROGRAM)


if __name__ == "__main__":
    main()

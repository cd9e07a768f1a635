"""The entry point: ``headwater``."""

from infrastructure.cli.main import main as run
from infrastructure.shop.program import PROGRAM


def main() -> None:
    """Run one command of the shop."""
    run(PROGRAM)


if __name__ == "__main__":
    main()

"""The entry point of the bank: ``python -m tests.sample``."""

from infrastructure.cli.main import main as run
from tests.sample.program import BANK


def main() -> None:
    """Run one command of the bank."""
    run(BANK)


if __name__ == "__main__":
    main()

"""The entry point: ``some-cli``."""

from infrastructure.cli.main import main as run
from infrastructure.some_service.program import PROGRAM


def main() -> None:
    """Run one command of the service."""
    run(PROGRAM)


if __name__ == "__main__":
    main()

"""What a service says when it runs."""

from io import StringIO

from infrastructure.cli.printing import Console
from tests.sample.client import Bank
from tests.sample.program import BANK
from tests.waiting import until_true


async def test_a_service_says_where_it_answers_and_what_is_wrong(bank: Bank) -> None:
    """Its address, its description, and each check that is not ok; nothing of the others."""
    await bank.get("/health/ready")
    bank.container.working().watch("transfers", _Stalled())

    async def is_said() -> bool:
        file = StringIO()
        console = Console(file=file, width=200)
        settings = bank.container.settings()
        await BANK.welcome(bank.container, settings, "http://localhost:8000", console)
        said = file.getvalue()
        assert "Bank runs: http://localhost:8000, described at http://localhost:8000/docs" in said
        assert "event store" not in said
        return "tasks: transfers: no version 0" in said

    await until_true(is_said)


class _Stalled:
    """A consumer group that gets nowhere."""

    stalled: str | None = "no version 0"

"""What one event store has or can do, and another does not."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from dependency_injector import providers
from typer.testing import CliRunner

from infrastructure.cli.main import command_line
from infrastructure.connecting import opened_to_serve
from infrastructure.container import in_memory
from infrastructure.settings import InvalidSettings, Settings
from tests.sample.client import empty_bank
from tests.sample.program import BANK
from tests.sample.read_models.transfer_summary import transfer_summary
from tests.stores import only_on


@only_on("postgres")  # where consumer groups read the log itself
def test_where_there_are_no_links(servers: Mapping[str, str]) -> None:
    """The command says that nothing is needed."""
    ended = CliRunner().invoke(
        command_line(BANK), ["links", "repair"], env={**servers, "COLUMNS": "300"}
    )
    assert ended.exit_code == 1
    assert "events are in PostgreSQL: its consumer groups need no links" in ended.output


async def test_a_declaration_cannot_ask_for_what_the_wiring_has_not() -> None:
    """A read model declared as inline stops the start, unless events and views share a database."""
    inline = providers.Object((replace(transfer_summary, consistency="inline"),))
    apart, together = empty_bank(), in_memory(BANK, Settings(event_store="postgres"))
    apart.projections.override(inline)
    together.projections.override(inline)

    with pytest.raises(InvalidSettings, match=r"transfer_summary cannot be .* transaction"):
        async with opened_to_serve(apart):
            pass

    async with opened_to_serve(together):
        pass

"""A reaction: the bank thanks for each completed transfer with 1 on the account that has paid."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid5

from application.messages import RecordedEvent
from application.reactions import Reaction, Tools
from tests.sample.accounts import Deposit
from tests.sample.aggregates import TRANSFER
from tests.sample.outside import Outside
from tests.sample.transfers import TransferCompleted, TransferRequested

GROUP: Final = "thanks"


@dataclass(frozen=True)
class Thanks:
    """Handles the events of the consumer group."""

    tools: Tools[Outside]

    async def handle(self, recorded: RecordedEvent) -> None:
        """Deposit what is given for one transfer. Repeated, it changes nothing."""
        requested = (
            await anext(aiter(self.tools.event_store.read(recorded.stream, limit=1)))
        ).event
        assert isinstance(requested, TransferRequested)  # a transfer begins with it
        context = recorded.caused(GROUP, self.tools.clock())
        own = replace(context, command_id=uuid5(context.command_id, GROUP))
        thanks = Deposit(deposit_id=f"thanks:{recorded.stream_id}", amount=1)
        await self.tools.dispatch(requested.source, thanks, own)


thanks: Final[Reaction[Outside]] = Reaction(
    GROUP, TRANSFER.only(TransferCompleted), lambda tools: Thanks(tools).handle
)

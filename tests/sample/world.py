"""The bank in memory with a clock of its own: nothing waits, time passes when it is told to."""

from application.sagas.state import SagaStatus
from domain.values import Money
from infrastructure.providers.simulated import Fault, Faults, SimulatedConnection
from tests.application.sagas import world
from tests.application.sagas.world import PATIENCE, Watched
from tests.sample.accounts import Deposit
from tests.sample.gift_cards import SIMULATED, GiftCards, Redemption
from tests.sample.money_transfer import money_transfer
from tests.sample.outside import Outside, fee_key
from tests.sample.service import SAMPLE
from tests.sample.transfers import RequestTransfer


class Bank(world.World[Outside]):
    """A bank, its issuer of gift cards, and an engine that may be killed and started again."""

    id = "t-1"

    def __init__(self, *faults: Fault, seed: int = 0) -> None:
        super().__init__(SAMPLE, money_transfer, faults, seed)

    def opened(self, faults: Faults) -> Outside:
        self._cards = SimulatedConnection(SIMULATED[0], faults, patience=PATIENCE, sleep=self.sleep)
        return Outside(GiftCards(self._cards))

    def watched_outside(self) -> Outside:
        return Outside(GiftCards(Watched(self._cards, self.moments)))

    async def deposit(self, **amounts: int) -> None:
        """So much on each of these accounts."""
        for account, amount in amounts.items():
            await self.tell(account, Deposit(deposit_id=f"d{self.now:%f}", amount=amount))

    async def request(
        self, id: str = "t-1", amount: int = 2, *, fee: str = "0.5 EUR", source: str = "a"
    ) -> None:
        """A transfer to account b."""
        money = Money.parse(fee)
        await self.tell(id, RequestTransfer(source=source, target="b", amount=amount, fee=money))

    # ── what can be seen afterwards ──────────────────────────────────────────────────────────────

    async def adds_up(self) -> None:
        """Whatever happened: nothing is left over, here or outside, and nothing twice."""
        asked = [of for of in self.store.after(-1, 100_000) if of.type == "TransferRequested"]
        for id in (recorded.stream_id for recorded in asked):
            match self.saga(id).status:
                case SagaStatus.COMPLETED:
                    await self._is_made(id)
                case SagaStatus.COMPENSATED:
                    await self._is_undone(id)
                case other:
                    raise AssertionError(f"{id} is {other}: {self.saga(id).reason}")

    async def _is_made(self, id: str) -> None:
        transfer, paid = self.folded(f"transfer-{id}"), await self._paid(id)
        source, target = (
            self.folded(f"account-{account}")
            for account in (transfer.requested.source, transfer.requested.target)
        )
        amount, fee = transfer.requested.amount, transfer.requested.fee
        assert transfer.status == "completed"
        assert (source.withdrawn[id], target.deposits[id]) == (amount, amount)
        assert id not in source.held
        assert (paid is not None and not paid.restored) == (fee.amount > 0)

    async def _is_undone(self, id: str) -> None:
        transfer, paid = self.folded(f"transfer-{id}"), await self._paid(id)
        source, target = (
            self.folded(f"account-{account}")
            for account in (transfer.requested.source, transfer.requested.target)
        )
        assert transfer.status == "cancelled"
        assert id not in {*source.held, *source.withdrawn, *target.deposits}
        assert paid is None or paid.restored

    async def _paid(self, id: str) -> Redemption | None:
        records = {one.key: one for one in await self._cards.records()}
        return records.get(fee_key(id))

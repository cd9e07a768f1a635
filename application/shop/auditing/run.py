"""Reading what an audit needs: all events of the store once, then the records of the providers."""

from application.claim_check import claim
from application.ports import PayloadStore, Progress, Subscriptions
from application.shop.auditing.shop import EVENTS, Shop, Verdict
from application.shop.ports import Audit


async def audit(
    subscriptions: Subscriptions, payloads: PayloadStore | None, providers: Audit
) -> Verdict:
    """Add up the whole shop, as it stands now.

    Memory grows with the aggregates, not with the events. Raises ``StoreUnavailable``,
    ``ProviderUnavailable``, ``PayloadUnavailable`` and ``UnreadableEvent``.
    """
    shop = Shop()
    async with subscriptions.catch_up(after=None, only=EVENTS) as messages:
        async for message in messages:
            match message:
                case Progress(caught_up=True):
                    break
                case Progress():
                    continue
                case recorded:
                    shop.enter(await claim(recorded, payloads))
    return shop.verdict(await providers.payments(), await providers.bookings())

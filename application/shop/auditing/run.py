"""Reading what an audit needs: all events of the store once, then the records of the providers."""

from application.claim_check import claim
from application.ports import PayloadStore
from application.shop.auditing.shop import EVENTS, Shop, Verdict
from application.shop.ports import Audit
from application.whole_log import EventLog, Report, Step, unreported, whole_log


async def audit(
    log: EventLog, payloads: PayloadStore | None, providers: Audit, report: Report = unreported
) -> Verdict:
    """Add up the whole shop, as it stands now; ``report`` gets what it is at.

    Memory grows with the aggregates, not with the events. Raises ``StoreUnavailable``,
    ``ProviderUnavailable``, ``PayloadUnavailable`` and ``UnreadableEvent``.
    """
    shop = Shop()
    async with whole_log(log, EVENTS, report) as events:
        async for recorded in events:
            shop.enter(await claim(recorded, payloads))
    report(Step("reading the records of the payment provider"))
    payments = await providers.payments()
    report(Step("reading the records of the carrier"))
    bookings = await providers.bookings()
    report(Step("adding up"))
    return shop.verdict(payments, bookings)

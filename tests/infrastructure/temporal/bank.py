"""The bank whose transfers are driven by Temporal, on the server that skips time."""

from tests.infrastructure.temporal.worlds import OnTemporal
from tests.sample.world import Bank


class TemporalBank(OnTemporal, Bank):
    """A bank, its issuer of gift cards, and a worker."""

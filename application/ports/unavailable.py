"""What every port may raise."""


class StoreUnavailable(Exception):
    """A server that the service needs does not answer. Try again later."""

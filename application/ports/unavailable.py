"""What every port may raise."""


class StoreUnavailable(Exception):
    """The technology behind a port does not answer; asking again later may help."""

"""What runs together: embedded servers, the API, the projections; in which order it starts, stops.

Everything here is stopped by cancellation, and everything that was started is stopped again.
"""


class Hindrance(Exception):
    """Something is in the way, and the message says what to do about it."""

"""What runs together: embedded servers, the API, the projections; in which order it starts, stops.

Everything here is stopped by cancellation, and everything that was started is stopped again.
"""


class CommandFailed(Exception):
    """A command cannot be done as things are. The message says why, and what to do."""

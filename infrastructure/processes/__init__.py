"""What runs together in a process: servers, the API, projections, consumers.

All of it is stopped by cancellation, in the reverse of the order in which it was started.
"""


class CommandFailed(Exception):
    """A command cannot be done as things are. The message says why, and what to do."""

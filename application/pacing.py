"""How long events are collected, so that those that come close together are handled together.

One that comes alone is handled at once. While events keep coming, those of a while go together: of
a short while, so that nothing is late; of a longer one when many come, since each batch has its
price, however small it is.
"""

from typing import Final

MOMENT: Final = 0.006  # seconds in which callers who wait for an answer wait for each other
_LEAST: Final = 0.01  # seconds
_MOST: Final = 0.25  # a question that must see a command may wait so long
_EACH: Final = 0.008  # so from 125 events a second on, it grows up to the most


def apart(events: int) -> float:
    """Seconds from a batch of so many events to the next one."""
    return min(_MOST, max(_LEAST, _EACH * events))

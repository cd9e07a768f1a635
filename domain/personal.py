"""Personal data: which fields of an event hold it, and whom they are about.

    class RecipientNamed(Event):
        customer_id: Annotated[CustomerId, Subject]  # one field of the event
        name: Annotated[Text, Personal]

Once the data subject is forgotten, a personal field reads as its mask.
"""

from dataclasses import dataclass
from typing import Any, Final

MASK: Final = "•••"
"""What a personal text reads as, once its key is gone."""


@dataclass(frozen=True)
class Personal:
    """Marks a field with personal data: ``Annotated[Text, Personal]``, also in a nested model.

    Where ``•••`` is not a value of the field's type, give one that is, in the form that JSON has
    for it: ``Annotated[date, Personal(mask="1900-01-01")]``.
    """

    mask: Any = MASK


class Subject:
    """Marks the field whose value names the data subject: ``Annotated[CustomerId, Subject]``.

    Where the value is ``None``, the stream of the event takes its place.
    """

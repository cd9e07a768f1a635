"""The roles of the bank."""

from typing import Final

from application.access import Role

TELLER: Final = Role("teller", "serves customers at the counter")

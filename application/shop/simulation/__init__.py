"""A real order history as live traffic on a shop of today.

``traffic`` is what customers request and when, ``stocking`` the opening stock; both are pure.
``customers`` send the requests, the ``warehouse`` ships, the ``floor`` follows the events.
"""

from application.shop.simulation.customers import Customers
from application.shop.simulation.floor import Floor, Tally
from application.shop.simulation.stocking import Stocking, opening_stock
from application.shop.simulation.traffic import Back, Place, Request, traffic
from application.shop.simulation.warehouse import Staff

__all__ = [
    "Back",
    "Customers",
    "Floor",
    "Place",
    "Request",
    "Staff",
    "Stocking",
    "Tally",
    "opening_stock",
    "traffic",
]

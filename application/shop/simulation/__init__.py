"""A real order history as live traffic: what its customers did, on a shop that works today.

``traffic`` is what they want and when, ``stocking`` what is on the shelf at first; both are pure.
``customers`` bring it, the ``warehouse`` sends what is confirmed, the ``floor`` is what is seen.
"""

from application.shop.simulation.customers import Customers
from application.shop.simulation.floor import Floor, Tally
from application.shop.simulation.stocking import Stocking, opening_stock
from application.shop.simulation.traffic import Back, Place, Wish, traffic
from application.shop.simulation.warehouse import Staff

__all__ = [
    "Back",
    "Customers",
    "Floor",
    "Place",
    "Staff",
    "Stocking",
    "Tally",
    "Wish",
    "opening_stock",
    "traffic",
]

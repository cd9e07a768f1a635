"""Every call that the shop's sagas can make to a provider outside."""

from collections.abc import Sequence
from typing import Any

from application.sagas.performing import CallPerformer
from application.shop.ports import Outside
from application.shop.sagas.carrier_calls import carrier_calls
from application.shop.sagas.payment_calls import payment_calls


def outside_calls(outside: Outside) -> Sequence[CallPerformer[Any]]:
    """How each is performed. A new provider adds its calls here."""
    return (*payment_calls(outside), *carrier_calls(outside))

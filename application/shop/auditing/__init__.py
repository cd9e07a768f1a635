"""The audit: every unit of stock, every penny and every parcel, added up over the whole shop.

``accounts`` is what is remembered of each aggregate, ``stock``, ``money``, ``parcels``,
``fulfilment`` and ``exchanges`` are the rules, ``findings`` what they can find, ``summary`` the
totals. ``shop`` puts it together, and ``run`` reads the events and the providers' records. All but
the last is pure.
"""

from application.shop.auditing.findings import Finding, UnderWay
from application.shop.auditing.run import audit
from application.shop.auditing.shop import Shop, Verdict
from application.shop.auditing.summary import Summary

__all__ = ["Finding", "Shop", "Summary", "UnderWay", "Verdict", "audit"]

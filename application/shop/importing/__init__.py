"""Turns an order history into commands, line by line: real input for a service without users.

``rows`` parses a line, ``plan`` groups lines into invoices, ``invoices`` turns each into commands,
``matching`` finds the purchase of a return, ``run`` carries everything out, ``report`` counts it.
"""

from application.shop.importing.report import Report
from application.shop.importing.run import ImportProgress, ImportStopped, import_history

__all__ = ["ImportProgress", "ImportStopped", "Report", "import_history"]

"""An order history, line by line, becomes commands: real input for a service without users.

``rows`` reads a line, ``plan`` puts invoices together, ``invoices`` says what each stands for,
``matching`` finds what a return belongs to, ``run`` carries it all out, ``report`` accounts for it.
"""

from application.shop.importing.report import Report
from application.shop.importing.run import ImportStopped, Progress, import_history

__all__ = ["ImportStopped", "Progress", "Report", "import_history"]

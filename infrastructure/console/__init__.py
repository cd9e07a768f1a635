"""``/console``: pages for operators, made on the server, that show a service and put it right.

Only this room knows Jinja2 (the extra ``console``). A page is a route of FastAPI's that hands a
template and a function to :meth:`Visit.page`; that function looks at the service each time the page
is made, so that an open page can be kept up to date. A service adds pages of its own
(``Program.pages``), and the navigation shows what there is.
"""

from typing import Final

from infrastructure.console.section import HOME, Section
from infrastructure.console.site import answer_in_pages, install
from infrastructure.console.visit import Visit, Visiting

PATHS: Final = (HOME, f"{HOME}/")
"""What needs no API token, but a session."""

__all__ = ["HOME", "PATHS", "Section", "Visit", "Visiting", "answer_in_pages", "install"]

"""From a template and values to a page, and to its figures: what is replaced while it is open.

A template writes a figure as ``{{ live("lag of orders", text) }}``. Rendering the page once more
gives the figures of now, so nothing is declared twice.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from application.personal.masking import holds_personal, masked
from infrastructure.console import charts, pictures, words
from infrastructure.console.operators import Right

_OURS: Final = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Rendered:
    """A page as HTML; and each of its figures by key: HTML, and how it is to be taken."""

    html: str
    figures: Mapping[str, tuple[str, str]]


@dataclass
class _Figures:
    """Notes down the figures of one rendering."""

    found: dict[str, tuple[str, str]] = field(default_factory=dict)

    def live(self, key: str, shown: object, tone: str = "") -> Markup:
        """A figure. ``tone``: ``good``, ``warn``, ``bad`` or nothing."""
        html = escape(shown)
        self.found[key] = (str(html), tone)
        return Markup('<span class="live" data-live="{}" data-tone="{}">{}</span>').format(
            key, tone, html
        )


class Renderer:
    """Renders the templates of the console, and of the directories given."""

    def __init__(
        self, directories: Sequence[Path], shared: Mapping[str, Any], personal: Collection[str] = ()
    ) -> None:
        """``shared``: for all templates. ``personal``: the fields that ``masked`` masks."""
        loader = ChoiceLoader([FileSystemLoader(one) for one in (_OURS, *directories)])
        self._environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(words.FILTERS)
        for filter in (masked, holds_personal):
            self._environment.filters[filter.__name__] = partial(filter, names=personal)
        self._environment.globals.update(
            {**pictures.PICTURES, **charts.CHARTS, **shared, "rights": Right}
        )

    def page(self, template: str, values: Mapping[str, Any]) -> Rendered:
        """Raises ``UndefinedError`` for a value that the template uses and does not get."""
        figures = _Figures()
        live: Callable[..., Markup] = figures.live
        html = self._environment.get_template(template).render({**values, "live": live})
        return Rendered(html, figures.found)

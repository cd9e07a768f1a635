"""The map of a service, drawn: as SVG, as Mermaid, as text. Made of the declaration alone."""

from infrastructure.system_map.mermaid import mermaid
from infrastructure.system_map.svg import STYLE, drawing, picture
from infrastructure.system_map.text import text

__all__ = ["STYLE", "drawing", "mermaid", "picture", "text"]

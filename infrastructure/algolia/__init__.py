"""Views by words, in Algolia: the only package that speaks to it."""

from infrastructure.algolia.application import PATIENCE, Application, application
from infrastructure.algolia.engine import SearchEngine
from infrastructure.algolia.index import SearchIndex

__all__ = ["PATIENCE", "Application", "SearchEngine", "SearchIndex", "application"]

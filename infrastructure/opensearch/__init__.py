"""Views by words, in OpenSearch: the only package that speaks to it."""

from infrastructure.opensearch.engine import SearchEngine
from infrastructure.opensearch.index import SearchIndex
from infrastructure.opensearch.server import Server, server

__all__ = ["SearchEngine", "SearchIndex", "Server", "server"]

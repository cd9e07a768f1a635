"""Measurements of the node, each beside something simpler in the same run."""

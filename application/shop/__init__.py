"""This shop: all that a team replaces with its own service, besides its pages in ``domain``."""

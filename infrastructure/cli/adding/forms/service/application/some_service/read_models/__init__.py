"""The read models, one page each."""

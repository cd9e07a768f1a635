"""The sagas, one page each."""

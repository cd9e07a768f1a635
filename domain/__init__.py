"""The domain's rules: pure Python and pydantic. No await, no I/O, no clock, no ids made here."""

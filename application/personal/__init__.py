"""Personal data in events: encrypted with a key of each data subject, masked once that is gone."""

"""The service: its table, its read models and its sagas."""

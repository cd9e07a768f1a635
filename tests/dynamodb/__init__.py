"""DynamoDB for tests: a server, and faults that no double shows by itself."""

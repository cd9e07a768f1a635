"""What is the same on every event store, and what differs."""

"""What operators do, and how it is recorded, on the sample service in memory."""

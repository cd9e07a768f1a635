"""What those who follow the log share: checkpoints and leases, one row each."""

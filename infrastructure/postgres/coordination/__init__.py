"""What followers of the log need: checkpoints and leases, one row each."""

"""What followers of the log need, in DynamoDB: checkpoints and leases, one item each."""

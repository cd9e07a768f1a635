"""What every HTTP server of ours is guarded by: whose names it answers to, how many it serves."""

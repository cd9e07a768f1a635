"""What an attacker does to a shop."""

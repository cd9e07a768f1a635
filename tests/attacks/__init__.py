"""What an attacker sends, and what stands against it. Forged tokens are in infrastructure/oidc."""

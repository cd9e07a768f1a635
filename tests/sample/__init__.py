"""A bank as small as can be, on which the kit is tested: accounts, and transfers between them."""

"""The edges of the shop: routes, commands of the CLI, providers, file formats."""

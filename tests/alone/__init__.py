"""The kit without the shop: a service of a few lines takes its place, and all proofs still hold."""

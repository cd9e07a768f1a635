"""The sagas of the shop: their steps, their compensations and their calls to providers."""

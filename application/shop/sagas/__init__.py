"""The sagas of the shop, each orchestrated: steps, what undoes them, and whom they call."""

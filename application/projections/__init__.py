"""The engine of projections: what one is, what fills its builds, and how they are watched."""

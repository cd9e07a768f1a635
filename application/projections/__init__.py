"""The engine of projections: what one is, who fills it, and how a build of it is watched."""

"""One page for a meeting: what came, what went, what waits; it needs nothing beside itself."""

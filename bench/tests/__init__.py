"""A smoke of the harness: it works; how fast anything is, it does not ask."""

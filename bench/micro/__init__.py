"""Microseconds per layer, in one process, with a fake transport: no socket, no kernel."""

"""Benchmarks: server against server (`duel`), and microseconds per layer (`micro`)."""

"""Alsvid: the server that Python web applications run on."""

__version__ = "0.1.0"

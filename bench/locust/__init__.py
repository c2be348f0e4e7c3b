"""Synchronous and asynchronous workers under rising load, with Locust."""

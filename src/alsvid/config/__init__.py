"""Settings of all layers in one object, loaded from flags, environment, file and defaults."""

from alsvid.config.settings import Settings

__all__ = ["Settings"]

"""What the owner has set: one list of variables, read once into a frozen ``Settings``."""

from igfeed.config.settings import LANGUAGES, Redis, Settings, environment

__all__ = ["LANGUAGES", "Redis", "Settings", "environment"]

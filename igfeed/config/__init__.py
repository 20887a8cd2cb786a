"""The owner's environment variables, read once into a frozen ``Settings``."""

from igfeed.config.reader import LANGUAGES, Redis
from igfeed.config.settings import Settings, environment

__all__ = ["LANGUAGES", "Redis", "Settings", "environment"]

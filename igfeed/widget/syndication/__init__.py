"""The feed as documents that programs read."""

"""The feed as files that any static host serves."""

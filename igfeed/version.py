"""The version, as the status and Instagram's logs see it."""

VERSION = "1.0.0"

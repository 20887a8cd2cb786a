"""The studio: one page on which the owner sees the state of the feed and changes it."""

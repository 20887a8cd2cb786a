"""The studio: one page on which the owner sees how the feed is, and looks after it."""

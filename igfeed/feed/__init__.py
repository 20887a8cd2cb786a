"""What to show: the newest snapshot of the feed, and its pictures."""

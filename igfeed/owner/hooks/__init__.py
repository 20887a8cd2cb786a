"""Tells the owner's site when there is a new post."""

"""An Instagram that needs no account: its posts, and the drawings that are their pictures."""

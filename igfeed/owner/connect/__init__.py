"""Connect: the owner logs in at Instagram, and igfeed has a token."""

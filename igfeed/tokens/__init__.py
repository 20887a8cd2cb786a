"""The access token: which one to use, and its renewal."""

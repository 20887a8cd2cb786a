"""Which access token to use, and how it is kept alive."""

"""The feed can be removed on request, and stays removed."""

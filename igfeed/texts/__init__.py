"""Texts that people wrote, prepared for a web page."""

"""What visitors get: the grid as a page, as an embed and as a script tag."""

"""The accounts of one deployment: the default one, which has no name, and others with a name each."""

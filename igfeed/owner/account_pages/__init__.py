"""Several accounts in the studio: which there are, how they are, adding one, removing one."""

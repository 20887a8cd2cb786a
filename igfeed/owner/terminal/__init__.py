"""What the commands of ``flask igfeed`` have in common."""

"""The messages that tell the owner, wherever they are, that a person is needed."""

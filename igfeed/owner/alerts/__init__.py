"""The messages that tell the owner when a person is needed."""

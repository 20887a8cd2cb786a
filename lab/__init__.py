"""What measures rather than asserts: run by its targets in the Makefile."""

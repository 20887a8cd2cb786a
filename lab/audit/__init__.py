"""What is measured with tools that are no Python: `make audit` and `make compare`."""

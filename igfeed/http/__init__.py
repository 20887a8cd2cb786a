"""HTTP requests with limits: on the time, on the bytes, and on the addresses that they may reach."""

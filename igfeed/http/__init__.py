"""HTTP requests with an end: limits on time, on bytes and on where they may lead."""

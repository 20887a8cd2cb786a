"""What people wrote, made fit for a page."""

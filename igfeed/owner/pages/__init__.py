"""What all pages for the owner share."""

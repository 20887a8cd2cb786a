"""What is stored about the account and its visitors, in words for both."""

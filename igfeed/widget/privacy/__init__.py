"""The page that says what is stored about the account and its visitors."""

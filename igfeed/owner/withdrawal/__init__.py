"""The account's owner withdraws at Instagram: removes the app, or has the data deleted."""

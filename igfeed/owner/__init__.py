"""What the owner, the cron and the command line get."""

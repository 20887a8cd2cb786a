"""What the owner, the cron and the owner's terminal get."""

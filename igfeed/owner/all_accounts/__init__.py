"""What is done for all accounts of a deployment together."""

"""Which of the kept posts visitors see, and why they do not see the others."""

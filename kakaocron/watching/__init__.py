"""What is known, and who is told."""

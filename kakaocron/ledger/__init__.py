"""What is on record, and where."""

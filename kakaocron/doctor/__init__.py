"""What can be wrong, by subject."""

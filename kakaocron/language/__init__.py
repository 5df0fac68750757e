"""What people read, in their language. What programs read is in no language, and not from here."""

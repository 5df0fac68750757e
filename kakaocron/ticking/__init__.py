"""One tick from waking to leaving."""

"""The machine, one file a thing."""

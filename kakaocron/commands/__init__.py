"""One file per command: options, wiring, one call, one rendering."""

"""What a user may write: config.toml, read and checked."""

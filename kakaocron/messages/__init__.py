"""A configured message becomes a parcel."""

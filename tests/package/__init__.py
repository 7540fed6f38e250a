"""What tlkit promises whoever calls it."""

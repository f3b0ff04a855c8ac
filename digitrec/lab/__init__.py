"""Draw digits, train networks and evaluate them; not needed to read digits."""

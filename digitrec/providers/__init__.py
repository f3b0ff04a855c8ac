"""Providers: one file for each engine; the registry finds them by name."""

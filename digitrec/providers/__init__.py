"""The providers: one file for each engine, found by name through the registry."""

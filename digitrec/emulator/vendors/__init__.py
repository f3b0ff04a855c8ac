"""The vendors' protocols, a module for each provider's service; `base` says what each of them is."""

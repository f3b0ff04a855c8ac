"""Digits to learn from: downloads, fonts, other countries, and which digits a model has learned."""

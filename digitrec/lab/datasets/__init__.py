"""Digits for training: downloads, fonts and other countries' digits; and a record of the learned digits."""

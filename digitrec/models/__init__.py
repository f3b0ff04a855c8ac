"""Load networks from files and compute ten probabilities."""

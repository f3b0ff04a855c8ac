"""Evaluate engines on labelled pictures: accuracy, mistakes and explanations."""

"""Labelled pictures, wherever they come from: MNIST, folders, tables and array files."""

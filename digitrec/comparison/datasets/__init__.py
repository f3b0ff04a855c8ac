"""Load labelled pictures from any source: MNIST, folders, tables and array files."""

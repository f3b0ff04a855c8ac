"""Train networks and classifiers; the result is a model file for `digitrec.models`."""

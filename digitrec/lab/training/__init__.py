"""Networks and classifiers that learn; what they have learned is a file for `digitrec.models`."""

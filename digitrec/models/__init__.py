"""Networks from files, asked for ten probabilities; nothing of the path is imported here."""

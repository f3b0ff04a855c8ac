"""Pictures that are made: digits of a synthetic hand, on paper, photographed, damaged; and no digits."""

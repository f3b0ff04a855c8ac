"""Generate pictures: digits of a synthetic hand, on paper, photographed or damaged; and non-digits."""

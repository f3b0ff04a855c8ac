"""All that is written for people and programs: predictions, comparisons, benchmarks, accuracy."""

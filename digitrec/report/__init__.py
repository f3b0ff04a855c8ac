"""Write predictions, comparisons, benchmarks and accuracy as tables, JSON, CSV and pages."""

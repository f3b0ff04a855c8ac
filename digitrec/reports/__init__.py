"""Comparisons, benchmarks and recommendations as text, Markdown, JSON, CSV and self-contained HTML."""

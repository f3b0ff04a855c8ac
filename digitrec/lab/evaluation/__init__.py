"""How well an engine reads labelled pictures, where it does not, and why it said what it said."""

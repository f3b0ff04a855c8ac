"""The number reader's recipe: compose numbers, train a network on them, measure and export it."""

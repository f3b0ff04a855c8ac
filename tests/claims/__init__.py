"""The figures that the pages name, as the code has them.

Each module holds, by page, pieces of the page's own text with what the code says in the place of every
figure. A piece that is not in its page is a false sentence, and `tests/docs/test_figures.py` fails: correct
whichever of both is wrong. It also fails for a figure with a unit that no piece holds.
"""

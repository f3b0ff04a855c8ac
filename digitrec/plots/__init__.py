"""All that is drawn, with matplotlib (the extra ``plots``): each function takes data and gives a Figure."""

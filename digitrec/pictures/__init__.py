"""The pictures of a course in digit recognition: each function takes figures and gives a Figure."""

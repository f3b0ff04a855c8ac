"""The REST API and the page of ``digitrec serve``; needs the extra ``web``."""

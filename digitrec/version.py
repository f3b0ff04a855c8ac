"""Which digitrec this is; on the ground floor, so that whoever tells it does not import the whole house."""

__version__ = "0.1.0"

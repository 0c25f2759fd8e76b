class PipError(Exception):
    """What pip refuses."""

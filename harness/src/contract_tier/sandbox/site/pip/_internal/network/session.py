class PipSession(object):
    """Nothing is fetched here."""

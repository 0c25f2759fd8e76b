from pip import IS_9, main  # noqa: F401

if IS_9:
    raise ImportError('pip 9 has no module of this name')

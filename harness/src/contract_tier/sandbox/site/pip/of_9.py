from pip import IS_9

if not IS_9:
    raise ImportError('only pip 9 has a module of this name')

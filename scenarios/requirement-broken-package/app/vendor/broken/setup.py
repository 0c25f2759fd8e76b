raise RuntimeError('this package cannot be built')

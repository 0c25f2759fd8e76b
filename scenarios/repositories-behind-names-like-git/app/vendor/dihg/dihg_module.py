NAME = 'dihg'

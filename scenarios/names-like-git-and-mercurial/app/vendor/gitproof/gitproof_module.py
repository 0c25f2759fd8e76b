NAME = 'gitproof'

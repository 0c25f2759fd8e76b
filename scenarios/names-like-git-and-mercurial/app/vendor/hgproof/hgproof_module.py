NAME = 'hgproof'

NAME = 'a neighbour'

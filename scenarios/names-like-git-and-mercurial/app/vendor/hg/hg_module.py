NAME = 'hg'

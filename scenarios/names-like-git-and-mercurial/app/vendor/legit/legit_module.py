NAME = 'legit'

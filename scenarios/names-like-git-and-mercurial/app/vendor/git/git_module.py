NAME = 'git'

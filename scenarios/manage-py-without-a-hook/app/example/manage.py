import sys

print('manage.py has run: %s' % ' '.join(sys.argv[1:]))
sys.exit(1)

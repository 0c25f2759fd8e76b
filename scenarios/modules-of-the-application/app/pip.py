import sys

sys.stderr.write('%s of the application was imported\n' % __name__)
raise SystemExit(1)

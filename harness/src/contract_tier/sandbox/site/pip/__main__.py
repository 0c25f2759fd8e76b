"""`python -m pip`: the stand-in for pip."""
import os
import sys

os.execv('/usr/local/wsgi/bin/pip', ['pip'] + sys.argv[1:])

"""`python -m pip`: the stub for pip."""
import os
import sys

os.execv('/usr/local/wsgi/bin/pip', ['pip'] + sys.argv[1:])

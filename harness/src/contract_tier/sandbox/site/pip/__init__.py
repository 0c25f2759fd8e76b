"""What other programs call of pip's: the stub for it."""


def main(args=None):
    import subprocess
    import sys

    return subprocess.call(['/usr/local/wsgi/bin/pip'] + (sys.argv[1:] if args is None else list(args)))

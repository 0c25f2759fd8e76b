"""What other programs call of pip's: the stub for it."""
import os
import sys

# The release that the stub stands for has its modules where pip 9 has them, or where later ones do.
with open('/run/wsgi-proof/orders.json') as orders:
    IS_9 = '"version":[9,' in orders.read().replace(' ', '')


def unknown(name):
    """Says that the stub does not have what the real pip may have: no verdict follows from that."""
    reader = os.path.join(os.path.dirname(__file__), '_internal', 'req', 'pip-reader')
    os.waitpid(os.posix_spawn(reader, [reader, '--unknown', name], os.environ), 0)


class Finder(object):
    """Asked for modules that are not here."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith('pip.') and (not name.startswith('pip._internal') if IS_9 else name.startswith('pip._')):
            unknown(name)


sys.meta_path.append(Finder)


def main(args=None):
    import subprocess

    return subprocess.call(['/usr/local/wsgi/bin/pip'] + (sys.argv[1:] if args is None else list(args)))

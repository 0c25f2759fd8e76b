"""What the stub of pip reads from requirement files, in the form of pip's own modules."""
import os

from pip import unknown

READER = os.path.join(os.path.dirname(__file__), '_internal', 'req', 'pip-reader')


class PipError(Exception):
    """What pip refuses."""


class PipSession(object):
    """Nothing is fetched here."""

    def __init__(self, **options):
        pass


class Known(object):
    """Has some of the attributes of pip's own; to ask for another one is told."""

    def __getattr__(self, name):
        if not name.startswith('__'):
            unknown('%s.%s' % (type(self).__name__, name))
        raise AttributeError(name)


class Link(Known):
    def __init__(self, scheme):
        self.scheme = scheme
        self.is_vcs = '+' in scheme


class Requirement(Known):
    def __init__(self, scheme):
        self.link = Link(scheme) if scheme else None

    def match_markers(self, extras_requested=None):
        return True


def parse_requirements(filename, session=None, **options):
    # Not with subprocess: to import it takes longer than the reading.
    read, write = os.pipe()
    answer = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    reader = os.posix_spawn(READER, [READER, filename], os.environ, file_actions=answer)
    os.close(write)
    with open(read) as lines:
        schemes = lines.read().splitlines()
    _, status = os.waitpid(reader, 0)
    for scheme in schemes:
        yield Requirement(scheme)
    if status:
        raise PipError('what the files say is refused')

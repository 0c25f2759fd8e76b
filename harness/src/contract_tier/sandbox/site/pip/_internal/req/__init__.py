"""What the stub of pip reads from requirement files, in the form of pip's own modules."""
import os

from pip._internal.exceptions import PipError

READER = os.path.join(os.path.dirname(__file__), 'pip-reader')


class Link(object):
    def __init__(self, scheme):
        self.scheme = scheme


class Requirement(object):
    def __init__(self, scheme):
        self.link = Link(scheme) if scheme else None

    def match_markers(self):
        return True


def parse_requirements(filename, session):
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

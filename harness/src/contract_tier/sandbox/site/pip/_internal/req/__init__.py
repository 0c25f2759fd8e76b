"""What the stub of pip reads from requirement files, in the form of pip's own modules."""
import os
import subprocess

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
    reader = subprocess.run([READER, filename], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if reader.returncode:
        raise PipError(reader.stderr)
    for scheme in reader.stdout.splitlines():
        yield Requirement(scheme)

"""Prints how many processes Apache's first one has started, and which of them belong to root."""
import os
import re


def field(status, name):
    return re.search(r'^%s:\s+(\S+)' % name, status, re.MULTILINE).group(1)


statuses = []
for number in os.listdir('/proc'):
    if number.isdigit():
        try:
            with open('/proc/%s/status' % number) as status:
                statuses.append(status.read())
        except (IOError, OSError):
            pass  # It has ended since.
children = [status for status in statuses if field(status, 'PPid') == '1']
print('children: %d' % len(children))
print('of root: %s' % [field(status, 'Name') for status in children if field(status, 'Uid') == '0'])

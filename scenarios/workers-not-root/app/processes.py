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
# Apache's first process is the one of its name that none of that name has started; it need not be process 1.
apache = [status for status in statuses if field(status, 'Name') in ('apache2', 'httpd')]
own = set(field(status, 'Pid') for status in apache)
first = [field(status, 'Pid') for status in apache if field(status, 'PPid') not in own]
children = [status for status in statuses if field(status, 'PPid') in first]
print('children: %d' % len(children))
print('of root: %s' % [field(status, 'Name') for status in children if field(status, 'Uid') == '0'])

import os


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    names = ['KEPT', 'LINKED', 'CHANGED', 'FOLDER', 'NOTHING', 'GONE']
    lines = ['%s=%s\n' % (name, os.environ.get(name)) for name in names]
    return [''.join(lines).encode('utf-8')]

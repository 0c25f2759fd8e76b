import os


def application(environ, start_response):
    body = '\n'.join('%s=%r' % (name, os.environ.get(name)) for name in ('name', 'file', 'folder', 'hook', 'identity', 'ENDS', 'EMPTY', 'not-a-name', 'with.dot')).encode()
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

import os


def application(environ, start_response):
    body = ('uid %d, gid %d' % (os.getuid(), os.getgid())).encode()
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

import os


def application(environ, start_response):
    body = '\n'.join('%s=%s' % (name, os.environ.get(name)) for name in ('STAYS', 'GONE', 'folder')).encode('utf-8')
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

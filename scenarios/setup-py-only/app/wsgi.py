from importlib.metadata import version

import greeter


def application(environ, start_response):
    body = ('%s, version %s' % (greeter.greeting(), version('greeter'))).encode()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]

import os

import neighbour


def application(environ, start_response):
    body = ('%s in %s, with %s' % (__name__, os.getcwd(), neighbour.NAME)).encode('utf-8')
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

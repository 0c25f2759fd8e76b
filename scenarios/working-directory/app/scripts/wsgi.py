import os

import neighbour


def application(environ, start_response):
    with open('data.txt') as data:
        body = ('in %s, with %s, data %s' % (os.getcwd(), neighbour.NAME, data.read())).encode('utf-8')
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

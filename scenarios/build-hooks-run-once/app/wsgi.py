import os



def application(environ, start_response):
    body = ('Hello World! from uid %d' % os.getuid()).encode()
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

import six



def application(environ, start_response):
    body = ('six %s' % six.__version__).encode()
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

import neighbour


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    return [(neighbour.__file__.replace('.pyc', '.py')).encode('utf-8')]

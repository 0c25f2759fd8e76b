import greeting


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    return [(greeting.greet('included')).encode('utf-8')]

import localwheel


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    return [(localwheel.NAME).encode('utf-8')]

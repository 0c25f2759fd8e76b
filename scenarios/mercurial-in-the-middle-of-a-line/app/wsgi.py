import salutation


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    return [(salutation.salute('editable')).encode('utf-8')]

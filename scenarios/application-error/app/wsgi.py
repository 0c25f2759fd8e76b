def page(path):
    if path == '/broken':
        raise RuntimeError('the application is broken on purpose')
    return b'still here'


def application(environ, start_response):
    body = page(environ['PATH_INFO'])
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]

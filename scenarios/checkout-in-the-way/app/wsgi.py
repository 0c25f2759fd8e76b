import greeting



def application(environ, start_response):
    body = ('%s from %s' % (greeting.greet('editable'), greeting.__file__)).encode()
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

import sys

sys.stderr.write('standard error, when imported\n')


def application(environ, start_response):
    environ['wsgi.errors'].write('wsgi.errors, in a request\n')
    sys.stderr.write('standard error, in a request\n')
    print('standard output, in a request')
    body = b'Hello World!'
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

import six


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [('six %s' % six.__version__).encode('utf-8')]

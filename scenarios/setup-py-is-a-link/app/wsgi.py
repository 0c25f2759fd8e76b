import greeter

try:
    from importlib.metadata import version
except ImportError:
    # Before Python 3.8.
    import pkg_resources

    def version(name):
        return pkg_resources.get_distribution(name).version


def application(environ, start_response):
    body = ('%s, version %s' % (greeter.greeting(), version('greeter'))).encode('utf-8')
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]

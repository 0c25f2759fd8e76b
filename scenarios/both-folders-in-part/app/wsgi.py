import os


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    values = [os.environ[name] for name in ('FROM_DOCKER', 'FROM_WHISKEY') if name in os.environ]
    return [' '.join(values).encode('utf-8')]

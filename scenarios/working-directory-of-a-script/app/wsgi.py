import os


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    with open('what.txt') as what:
        return [('in %s, which has: %s' % (os.getcwd(), what.read().strip())).encode('utf-8')]

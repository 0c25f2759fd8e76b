import itertools

SIZE = 8 << 20
BODY = (b'abcdefghijklmnopqrstuvwxyz' * (SIZE // 26 + 1))[:SIZE]


def application(environ, start_response):
    if environ['PATH_INFO'] == '/streamed':
        # Without a length: in pieces, as they come.
        start_response('200 OK', [('Content-Type', 'application/octet-stream')])
        return (BODY[start:start + 60000] for start in itertools.takewhile(lambda n: n < SIZE, itertools.count(0, 60000)))
    start_response('200 OK', [('Content-Type', 'application/octet-stream'), ('Content-Length', str(SIZE))])
    return [BODY]

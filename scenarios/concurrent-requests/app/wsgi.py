import threading

# How many requests must be inside at the same time: fewer than the threads that mod_wsgi-express has by default.
TOGETHER = 4

inside = threading.Condition()
arrived = [0]


def meet():
    """Whether a whole group is there at the same time; a request that is served alone waits in vain."""
    with inside:
        arrived[0] += 1
        group = (arrived[0] + TOGETHER - 1) // TOGETHER * TOGETHER
        inside.notify_all()
        while arrived[0] < group:
            before = arrived[0]
            inside.wait(3)
            if arrived[0] == before:
                arrived[0] -= 1
                return False
        return True


def application(environ, start_response):
    status, body = ('200 OK', b'together') if meet() else ('503 Service Unavailable', b'alone')
    start_response(status, [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]

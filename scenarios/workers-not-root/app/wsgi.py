import os


def attempt(path):
    try:
        open(path, 'w').close()
        return 'written'
    except (IOError, OSError):
        return 'refused'


def application(environ, start_response):
    groups = 'root' if 0 in os.getgroups() + [os.getgid()] else 'none of root'
    body = ('uid %d, groups %s, /app/new %s' % (os.getuid(), groups, attempt('/app/new'))).encode('utf-8')
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

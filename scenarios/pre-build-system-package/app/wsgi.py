import psycopg2
import psycopg2.extensions



def application(environ, start_response):
    body = ('psycopg2 %s on libpq %d' % (psycopg2.__version__, psycopg2.extensions.libpq_version())).encode()
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

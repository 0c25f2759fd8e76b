import hashlib


def application(environ, start_response):
    body = environ['wsgi.input'].read()
    text = '%s, announced %s, %d bytes, %s\n' % (
        environ['REQUEST_METHOD'], environ.get('CONTENT_LENGTH'), len(body), hashlib.sha256(body).hexdigest())
    if len(body) < 100:
        text += body.decode('utf-8')
    body = text.encode('utf-8')
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

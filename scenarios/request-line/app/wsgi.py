import binascii


def raw(text):
    """A value of environ as the bytes that came: PEP 3333 has them decoded as Latin-1 on Python 3."""
    return text if isinstance(text, bytes) else text.encode('latin-1')


def application(environ, start_response):
    names = ('SCRIPT_NAME', 'PATH_INFO', 'QUERY_STRING', 'HTTP_X_SAMPLE')
    body = b'\n'.join(name.encode('ascii') + b'=' + raw(environ.get(name, '')) for name in names)
    body += b'\nhex=' + binascii.hexlify(raw(environ['PATH_INFO']))
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
    return [body]

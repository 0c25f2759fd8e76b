# -*- coding: utf-8 -*-
import os

# Bytes, in Python 2 and 3 alike.
found = getattr(os, 'environb', os.environ)
expected = {
    b'_HIDDEN': b'a\\n\\t$HOME `b` \\\\',
    b'V2': b'one\r\ntwo\r',
    b'BEYOND': u'f\u00fcr \u65e5\u672c'.encode('utf-8'),
    b'LONG': b'0123456789' * 2000,
    b'LINKED': b'linked',
    b'BYTES': b'b\xfcro \xff\xfe',
}


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    other = [name for name in expected if found.get(name) != expected[name]]
    return [repr(sorted(other)).encode('ascii') if other else b'as they are']

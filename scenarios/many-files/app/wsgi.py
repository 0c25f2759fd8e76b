import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'many')


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    with open(os.path.join(FOLDER, '9999.txt')) as last:
        text = '{} files, the last says {}'.format(len(os.listdir(FOLDER)), last.read())
    return [text.encode('utf-8')]

import greeting
import salutation


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    return [(greeting.greet('git') + ' ' + salutation.salute('Mercurial')).encode('utf-8')]

import locale


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    return [locale.nl_langinfo(locale.CODESET).encode('utf-8')]

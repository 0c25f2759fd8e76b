# -*- coding: utf-8 -*-
import locale
import os

NAME = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'größe.txt')


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    with open(NAME) as made:
        return [('%s: %s' % (locale.nl_langinfo(locale.CODESET), made.read())).encode('utf-8')]

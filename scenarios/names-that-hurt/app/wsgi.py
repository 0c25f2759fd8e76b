# -*- coding: utf-8 -*-
import io
import os

NAME = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'static', 'with space', 'ü 日本.txt')


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain; charset=utf-8')])
    with io.open(NAME, encoding='utf-8') as found:
        return [found.read().strip().encode('utf-8')]

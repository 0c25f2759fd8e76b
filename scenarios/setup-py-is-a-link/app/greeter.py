import six


def greeting():
    return 'Hello from greeter with six %s' % six.__version__

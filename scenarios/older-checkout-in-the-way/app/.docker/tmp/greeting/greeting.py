# From a build on the developer's own machine.
OF = 'the checkout that came along'


def greet(whom):
    return 'Hello from ' + OF

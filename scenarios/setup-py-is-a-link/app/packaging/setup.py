from setuptools import setup

setup(
    name='greeter',
    version='1.2.3',
    py_modules=['greeter'],
    install_requires=['six'],
)

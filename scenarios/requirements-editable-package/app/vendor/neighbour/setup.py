from setuptools import setup

setup(name='neighbour', version='2.0', py_modules=['neighbour'])

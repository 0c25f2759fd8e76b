from setuptools import setup

setup(name='Django', version='1.0', py_modules=['django'])

from setuptools import setup

setup(name='greeting', version='0.1', py_modules=['greeting'])

from setuptools import setup

setup(name='local', version='1.0', py_modules=['local'])

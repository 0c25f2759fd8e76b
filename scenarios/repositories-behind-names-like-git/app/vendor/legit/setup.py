from setuptools import setup

setup(name='legit', version='1.0', py_modules=['legit_module'])

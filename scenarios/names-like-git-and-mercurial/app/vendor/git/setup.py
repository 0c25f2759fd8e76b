from setuptools import setup

setup(name='git', version='1.0', py_modules=['git_module'])

from setuptools import setup

setup(name='hg', version='1.0', py_modules=['hg_module'])

from setuptools import setup

setup(name='dihg', version='1.0', py_modules=['dihg_module'])

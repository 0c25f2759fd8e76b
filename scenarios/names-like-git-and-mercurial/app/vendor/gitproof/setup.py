from setuptools import setup

setup(name='gitproof', version='1.0', py_modules=['gitproof_module'])

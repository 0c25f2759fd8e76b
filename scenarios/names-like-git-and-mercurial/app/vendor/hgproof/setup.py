from setuptools import setup

setup(name='hgproof', version='1.0', py_modules=['hgproof_module'])

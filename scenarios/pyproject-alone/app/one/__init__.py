# One of two packages, so that setuptools would not know which to install.

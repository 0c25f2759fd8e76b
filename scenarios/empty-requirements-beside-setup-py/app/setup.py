raise RuntimeError('setup.py has run')

raise SystemExit('setup.py has run')

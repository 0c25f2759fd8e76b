# The other one.

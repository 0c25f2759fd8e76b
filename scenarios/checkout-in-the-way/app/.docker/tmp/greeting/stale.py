# From a build on the developer's own machine.

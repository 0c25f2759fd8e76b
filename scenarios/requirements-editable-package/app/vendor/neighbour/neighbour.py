NAME = 'a package beside the application'

"""A stub for mod_wsgi-express's options: those that say what is served, and those that are usual beside them."""
import optparse


def option(*names, **settings):
    return optparse.make_option(*names, **settings)


option_list = (
    option('--application-type', default='script'),
    option('--entry-point', default=None),
    option('--working-directory', default=None),
    option('--python-path', action='append', dest='python_paths'),
    option('--url-alias', action='append', nargs=2, dest='url_aliases'),
    option('--setenv', action='append', nargs=2, dest='setenv_variables'),
    option('--host'), option('--port'), option('--processes'), option('--threads'), option('--user'), option('--group'),
    option('--callable-object'), option('--mount-point'), option('--document-root'), option('--directory-index'),
    option('--allow-localhost', action='store_true'), option('--chunked-request', action='store_true'),
    option('--limit-request-body'), option('--reload-on-changes', action='store_true'), option('--include-file'),
    option('--log-to-terminal', action='store_true'), option('--access-log', action='store_true'),
    option('--startup-log', action='store_true'), option('--log-level'), option('--locale'), option('--server-root'),
)

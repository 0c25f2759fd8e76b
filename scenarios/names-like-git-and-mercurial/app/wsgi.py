import git_module
import gitproof_module
import hg_module
import hgproof_module
import legit_module


def application(environ, start_response):
    modules = (legit_module, gitproof_module, git_module, hgproof_module, hg_module)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [', '.join(module.NAME for module in modules).encode('ascii')]

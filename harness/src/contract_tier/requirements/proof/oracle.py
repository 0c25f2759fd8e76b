"""Reads requirement files with the pip of this Python, and says where it reads otherwise than is expected.

Standard input has a case a line, as JSON: the files in hexadecimal, the variables, and what is expected of requirements.txt.
Each case has the working directory, which is emptied for it, to itself.
"""

import binascii
import json
import locale
import logging
import os
import shutil
import sys

sys.dont_write_bytecode = True

try:
    from pip._internal import exceptions
    from pip._internal.commands import create_command
    LEGACY = False
except ImportError:
    from pip import exceptions
    from pip.commands.install import InstallCommand
    from pip.req import parse_requirements
    LEGACY = True

# What pip ends with 1 for; anything else that is raised is 2.
TOLD = (exceptions.InstallationError, exceptions.BadCommand, exceptions.CommandError)
if not LEGACY:
    TOLD += (exceptions.DiagnosticPipError, exceptions.NetworkConnectionError)


def requirements():
    command = InstallCommand() if LEGACY else create_command("install")
    options, _ = command.parse_args(["-r", "requirements.txt"])
    if LEGACY:
        with command._build_session(options) as session:
            finder = command._build_package_finder(options, session)
            return list(parse_requirements("requirements.txt", finder=finder, options=options, session=session))
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options=options, session=session)
        return command.get_requirements([], options, finder, session)


def described(requirement):
    req = requirement.req
    link = requirement.link
    try:
        applies = requirement.match_markers()
    except Exception:  # A comparison that is not defined.
        applies = "error"
    return {
        "name": req.name if req else None,
        "extras": sorted(set(requirement.extras)),
        "versions": sorted(set((one.operator + " " + one.version) for one in req.specifier)) if req else [],
        "address": link.url if link else None,
        "editable": requirement.editable,
        "constraint": requirement.constraint,
        "applies": applies,
    }


def read():
    try:
        return {"asked": [described(one) for one in requirements()]}
    except TOLD as error:
        return {"refused": 1, "because": repr(error)}
    except BaseException as error:
        return {"refused": 2, "because": repr(error)}


def tried(case):
    """What pip makes of a case."""
    for entry in os.listdir(b"."):
        if os.path.isdir(entry):
            shutil.rmtree(entry)
        else:
            os.remove(entry)
    for name, content in case["files"].items():
        path = os.path.join(b".", name.encode("utf-8"))
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(binascii.unhexlify(content))
    for name, value in case["environment"].items():
        os.environ[str(name)] = str(value)
    return read()


def same(expected, got):
    if "refused" in expected or "refused" in got:
        return expected.get("refused") == got.get("refused")
    if len(expected["asked"]) != len(got["asked"]):
        return False
    for one, other in zip(expected["asked"], got["asked"]):
        # Whether a marker applies need not be known.
        if one["applies"] is None:
            other["applies"] = None
        if one != other:
            return False
    return True


def main():
    logging.disable(logging.CRITICAL)
    locale.setlocale(locale.LC_ALL, "")
    # pip's parser prints how it is used before it refuses an option.
    out, sys.stderr = sys.stdout, open(os.devnull, "w")
    sys.stdout = sys.stderr
    count, differences = 0, 0
    for line in sys.stdin:
        case = json.loads(line)
        count += 1
        got = tried(case)
        if not same(case["expected"], got):
            differences += 1
            if differences <= 40:
                files = dict((name, repr(binascii.unhexlify(text))) for name, text in case["files"].items()
                             if name.endswith(".txt"))
                out.write("DIFFERENCE in case %d: %s\n  files    %s\n  expected %s\n  pip      %s\n" % (
                    count, case["name"], json.dumps(files, sort_keys=True), json.dumps(case["expected"], sort_keys=True),
                    json.dumps(got, sort_keys=True)))
    out.write("%d differences in %d requirement files\n" % (differences, count))
    out.flush()
    os._exit(1 if differences else 0)


main()

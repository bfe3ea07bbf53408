"""A node as seen from one module: what its agent and its systemd do with the module's files."""

import glob
import os
import re
import shlex
import subprocess
import sys

HOME = os.path.expanduser('~')
INSTALLED = os.path.join(HOME, '.config')
STATE = os.path.join(INSTALLED, 'state')
COMMANDS = os.path.join(os.path.dirname(__file__), '..', 'bin')


def path(*parts):
    return os.path.join(HOME, '..', *parts)


def environment():
    """What steps, handlers and `runagent` have."""
    # Not `python3` of the caller's: the node's own has the `agent` package.
    system = os.environ['NODE_PATH']
    known = {
        'HOME': HOME,
        'NODE_PATH': system,
        'MODULE_ID': 'mail1',
        'NODE_ID': '1',
        'TCP_PORT': '20010',
        'PATH': f'{INSTALLED}/bin:{system}',
        'AGENT_ID': 'module/mail1',
        'AGENT_INSTALL_DIR': INSTALLED,
        'AGENT_STATE_DIR': STATE,
    }
    known.update(environment_file(os.path.join(STATE, 'environment')))
    return known


def environment_file(name):
    with open(name) as file:
        return dict(line.rstrip('\n').split('=', 1) for line in file if '=' in line)


def steps(directory, standard_input):
    """The executables of a directory, in the order of their names, until one fails."""
    for step in sorted(glob.glob(os.path.join(INSTALLED, directory, '*'))):
        if not os.access(step, os.X_OK):
            continue
        done = subprocess.run([step], input=standard_input, cwd=STATE, env=environment())
        if done.returncode != 0:
            print(os.path.basename(step), file=sys.stderr)
            return done.returncode
    return 0


def unit(name):
    """A unit with its drop-ins, as a list of assignments."""
    directory = os.path.join(INSTALLED, 'systemd/user')
    files = [os.path.join(directory, name), *sorted(glob.glob(os.path.join(directory, name + '.d/*.conf')))]
    lines = []
    for file in files:
        if not os.path.exists(file):
            continue
        with open(file) as text:
            joined = re.sub(r'\\\n\s*', ' ', text.read())
        lines += [line.split('=', 1) for line in joined.splitlines() if '=' in line and line[0] not in '#;']
    return lines


def wanted(name):
    """Starts what a unit wants; returns what failed."""
    words = [word for key, value in unit(name) if key == 'Wants' for word in value.split()]
    return [one for one in words if start(one) != 0]


def start(name):
    """Starts a oneshot unit by the rules of systemd.exec(5) and systemd.service(5)."""
    lines = unit(name)

    def values(key):
        return [expanded(value, name) for known, value in lines if known == key]

    # Nothing of the caller's reaches a unit but what its manager has.
    variables = {'HOME': HOME, 'PATH': os.environ['NODE_PATH'], 'NODE_PATH': os.environ['NODE_PATH']}
    for file in values('EnvironmentFile'):
        variables.update(environment_file(file))
    directory = (values('WorkingDirectory') or ['/'])[-1]
    successes = {0, *(int(word) for value in values('SuccessExitStatus') for word in value.split())}
    for command in values('ExecStart'):
        assert command[0] not in '-@:+!', command
        words = [substituted(word, variables) for word in shlex.split(command)]
        done = subprocess.run(words, cwd=directory, env=variables, umask=0o022)
        if done.returncode not in successes:
            return done.returncode
    return 0


def expanded(value, name):
    known = {'E': INSTALLED, 'N': name.removesuffix('.service'), 'n': name, '%': '%'}
    return re.sub(r'%(.)', lambda match: known[match[1]], value)


def substituted(word, variables):
    return re.sub(r'\$\{?(\w+)\}?', lambda match: variables.get(match[1], ''), word)


def main():
    what, name = sys.argv[1:3]
    if what == 'issue':
        import agent.tasks
        agent.tasks.issue(name)
    elif what == 'unit':
        sys.exit(start(name))
    else:
        sys.exit(steps(f'{what}s/{name}', sys.stdin.buffer.read()))


if __name__ == '__main__':
    main()

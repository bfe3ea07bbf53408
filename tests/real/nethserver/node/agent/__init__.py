"""The parts of ns8-core's `agent` package that a module needs, as they are documented."""

import base64
import os
import shlex
import subprocess
import sys

import agent.tasks

SD_ERR = '<3>'
SD_WARNING = '<4>'
SD_INFO = '<6>'


def resolve_agent_id(agent_selector):
    if agent_selector != 'traefik@node':
        raise ValueError(agent_selector)
    return None if os.path.exists(agent.tasks.traefik('none')) else 'module/traefik1'


def set_status(value):
    with open(agent.tasks.traefik('../status'), 'w') as file:
        file.write(value)


def set_env(name, value):
    """The next step of the action has it, and every unit."""
    with open(os.path.join(os.environ['AGENT_STATE_DIR'], 'environment'), 'a') as file:
        file.write(f'{name}={value}\n')


def run_helper(*args, log_command=True, **kwargs):
    if log_command:
        print(SD_INFO + shlex.join(args), file=sys.stderr, flush=True)
    process = subprocess.Popen(args, stdout=kwargs.pop('stdout', sys.stderr), **kwargs)
    process.wait()
    return subprocess.CompletedProcess(args, process.returncode)


def certificate_event_matches(event, name):
    if os.environ['NODE_ID'] != str(event['node_id']):
        return False
    _, dot, parent = name.partition('.')
    return name in event['names'] or bool(dot) and '*.' + parent in event['names']


def get_certificate_and_key(name):
    response = agent.tasks.run(
        agent_id=resolve_agent_id('traefik@node'),
        action='get-certificate',
        data={'fqdn': name},
        extra={'isNotificationHidden': True},
    )
    if response['exit_code'] != 0:
        raise Exception(response['error'])
    best = response['output']['certificates'][0]
    return tuple(base64.b64decode(best[part]).decode() for part in ('cert', 'key'))

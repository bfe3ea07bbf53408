"""Tasks for the Traefik of the node: who may ask, with what, and what becomes of it."""

import base64
import ipaddress
import json
import os
import re
import subprocess
from urllib.parse import urlsplit

import jsonschema

ROLES = {
    'routeadm': ('set-route', 'delete-route'),
    'certadm': ('set-certificate', 'get-certificate'),
    'fulladm': ('set-route', 'delete-route', 'set-certificate', 'get-certificate'),
}
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks('hostname')
def is_hostname(text):
    label = re.compile(r'(?!-)[A-Za-z0-9-]{1,63}(?<!-)')
    return not isinstance(text, str) or all(label.fullmatch(part) for part in text.split('.'))


@FORMATS.checks('uri', raises=ValueError)
def is_uri(text):
    parts = urlsplit(text)
    return re.fullmatch(r"[!#$%&-;=?-\[\]_a-z~]+", text) is not None and bool(parts.scheme) and (parts.port or 80) > 0


def traefik(path):
    return os.path.join(os.path.expanduser('~'), '..', 'traefik', path)


def run(agent_id, action, data, **options):
    unknown = set(options) - {'extra', 'progress_callback'}
    if unknown:
        raise TypeError(f'{unknown} is nothing that a task takes')
    return _perform(agent_id, action, data, options)


def run_nowait(agent_id, action, data, **options):
    unknown = set(options) - {'extra', 'parent'}
    if unknown:
        raise TypeError(f'{unknown} is nothing that a task takes')
    if set(options.get('extra', {})) - {'title', 'description', 'isNotificationHidden'}:
        raise TypeError('extra')
    _perform(agent_id, action, data, options)
    return 'a task'


def _perform(agent_id, action, data, options):
    assert agent_id == 'module/traefik1', agent_id
    if os.path.exists(traefik('down')):
        raise ConnectionError('Traefik does not answer')
    with open(traefik('tasks'), 'a') as file:
        print(json.dumps({'action': action, 'data': data, **options}), file=file)
    if not any(action in ROLES.get(role, ()) for role in _roles()):
        return _failure(1, f'{action}: authorization error, 403\n', None)
    try:
        _validate(f'{action}.json', data)
    except jsonschema.ValidationError as error:
        fault = [{'field': '.'.join(map(str, error.path)), 'error': error.validator}]
        return _failure(10, f'{error.message}\n', fault)
    return ACTIONS[action](data)


def _roles():
    """What the label of the image grants: of two entries for one agent the last one counts."""
    granted = []
    with open(traefik('label')) as file:
        _, _, entries = file.read().strip().partition('=')
    for entry in entries.split():
        who, _, roles = entry.partition(':')
        if who == 'traefik@node':
            granted = roles.split(',')
    return granted


def _validate(name, data):
    schemas = os.path.join(os.path.dirname(__file__), '..', '..', 'schemas')
    with open(os.path.join(schemas, name)) as file:
        jsonschema.Draft7Validator(json.load(file), format_checker=FORMATS).validate(data)


def _failure(code, error, output):
    return {'exit_code': code, 'error': error, 'output': output}


def _success(output=None):
    return {'exit_code': 0, 'error': '', 'output': output}


def set_route(data):
    for value in data.get('ip_allowlist', []):
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            return _failure(3, '', [{'field': 'ip_allowlist', 'value': value, 'error': 'bad_ip_address'}])
    if data.get('host') and data.get('lets_encrypt') and data.get('lets_encrypt_check'):
        if not _obtain(data['host']):
            return _refused('host', data['host'])
    with open(traefik(f'configs/{data["instance"]}.json'), 'w') as file:
        json.dump(data, file)
    return _success()


def delete_route(data):
    path = traefik(f'configs/{data["instance"]}.json')
    if os.path.exists(path):
        os.unlink(path)
    return _success()


def set_certificate(data):
    # One file for each caller.
    path = traefik(f'configs/set-certificate-{os.environ["MODULE_ID"]}.json')
    if data.get('lets_encrypt') is False:
        if os.path.exists(path):
            os.unlink(path)
        return _success({'obtained': True})
    if not _obtain(data['fqdn']):
        return _refused('fqdn', data['fqdn'])
    with open(path, 'w') as file:
        json.dump(data, file)
    return _success({'obtained': True})


def get_certificate(data):
    name = data['fqdn']
    for candidate in (name, '*.' + name.partition('.')[2]):
        if os.path.exists(traefik(f'certificates/{candidate}.pem')):
            kind, obtained = 'internal', True
            break
    else:
        candidate, kind, obtained = 'selfsigned', 'selfsigned', False
        if not os.path.exists(traefik('certificates/selfsigned.pem')):
            issue('selfsigned')
    pair = {}
    for part, extension in (('cert', 'pem'), ('key', 'key')):
        with open(traefik(f'certificates/{candidate}.{extension}'), 'rb') as file:
            pair[part] = base64.b64encode(file.read()).decode()
    output = {'fqdn': name, 'type': kind, 'certificates': [pair], 'obtained': obtained}
    _validate('get-certificate-output.json', output)
    return _success(output)


def _obtain(name):
    if os.path.exists(traefik('acme-refuses')):
        return False
    if not os.path.exists(traefik(f'certificates/{name}.pem')):
        issue(name)
    return True


def _refused(field, name):
    fault = {'field': field, 'parameter': field, 'value': name, 'error': 'newcert_acme_error', 'details': 'rateLimited'}
    return _failure(3, 'rateLimited\n', [fault])


def issue(name):
    """A certificate that nobody has seen before."""
    path = traefik(f'certificates/{name}')
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '90',
         '-subj', f'/CN={name}', '-addext', f'subjectAltName=DNS:{name}', '-keyout', path + '.key', '-out', path + '.pem'],
        check=True, stderr=subprocess.DEVNULL,
    )


ACTIONS = {
    'set-route': set_route,
    'delete-route': delete_route,
    'set-certificate': set_certificate,
    'get-certificate': get_certificate,
}

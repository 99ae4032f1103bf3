# SPDX-License-Identifier: MIT
"""`weft check`: what people see of a configuration, its exit status, and what is not shown."""
import json
import os
import pathlib
import subprocess

import pytest

import party as p

HASH = 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3'  # of "test"
GOOD = f'''[
  {{ "name": "tun0", "port": 8080, "net": "10.50.10.1/24", "mtu": 1400,
    "mark": {{ "value": 100, "table": 101 }}, "ips": ["10.60.0.1/16"],
    "clients": [
      {{ "token": "{HASH}", "ip": "10.50.10.2", "name": "site",
        "routes": ["192.168.7.0/24"], "sources": ["10.50.10.3/32"] }}
    ] }},
  {{ "name": "tun1", "server": "https://me:pass@tunnel.example.org/", "token": "geheim" }}
]
'''


def check(*args, **options):
    return subprocess.run([p.WEFT, 'check', *map(str, args)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, **options)


@pytest.fixture
def config(tmp_path):
    """Writes a configuration that its owner alone can read."""
    def write(text, mode=0o600):
        path = tmp_path / 'tunnel.json'
        path.write_text(text)
        path.chmod(mode)
        return path
    return write


def test_good(config):
    done = check(config(GOOD))
    assert done.returncode == 0
    for word in ('tun0', 'server on port 8080', '10.50.10.1/24', 'MTU 1400', 'mark 100 to table 101',
                 'also 10.60.0.1/16', '10.50.10.2', 'site', 'routes 192.168.7.0/24',
                 'client of https://tunnel.example.org/'):
        assert word in done.stdout
    assert '0 errors, 0 warnings: it can be used' in done.stderr
    for secret in (HASH, 'geheim', 'pass'):
        assert secret not in done.stdout + done.stderr


def test_example_of_the_documentation(config):
    page = pathlib.Path(__file__).resolve().parents[2] / 'docs/tunnel.md'
    example = page.read_text().split('```json\n')[1].split('```')[0]
    done = check(config(example))
    assert done.returncode == 0 and '0 errors, 0 warnings' in done.stderr


def test_good_and_quiet(config):
    done = check('-q', config(GOOD))
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_caret(config):
    path = config(GOOD.replace('8080', '80800').replace('"ips"', '\t"isp"'))
    done = check(path)
    assert done.returncode == 1
    assert done.stdout == ''
    lines = done.stderr.split('\n')
    first = next(i for i, line in enumerate(lines) if '[0].port' in line)
    assert lines[first].startswith(f'{path}:2:29: error: [0].port: found 80800; it must be 1')
    assert lines[first + 1][lines[first + 2].index('^'):].startswith('80800')
    second = next(i for i, line in enumerate(lines) if '[0].isp' in line)
    assert 'did you mean "ips"?' in lines[second]
    assert lines[second + 2].replace('     | ', '').rstrip('^').strip(' ') == '\t'
    assert lines[-2] == f'{path}: 2 errors, 0 warnings: it cannot be used'


def test_token_is_blotted_out(config):
    line = f'[{{ "name": "a b", "server": "http://x/", "token": "geheim\\"nis", "mtu": "{HASH}" }}]'
    done = check(config(line))
    assert done.returncode == 1
    assert 'geheim' not in done.stderr and 'nis"' not in done.stderr
    assert f'"{"*" * 11}", "mtu"' in done.stderr


def test_one_long_line(config):
    done = check(config('[' + ' ' * 5000 + '7' + ' ' * 5000 + ']'))
    shown = done.stderr.split('\n')[1:3]
    assert shown[0][shown[1].index('^')] == '7'
    assert all(len(line) < 160 for line in shown)


def test_others_may_read_it(config):
    done = check(config(GOOD, 0o640))
    assert done.returncode == 0
    assert 'mode 0640' in done.stderr and 'chmod 600' in done.stderr
    assert '1 warning: it can be used' in done.stderr


def test_json(config):
    path = config(GOOD.replace('8080', '"8080"'), 0o604)
    events = [json.loads(line) for line in check('--json', path).stdout.splitlines()]
    assert [e['event'] for e in events] == ['fault', 'fault', 'checked']
    fault, mode, checked = events
    assert (fault['severity'], fault['line'], fault['column']) == ('error', 2, 29)
    assert fault['path'] == '[0].port' and '8080' in fault['text']
    assert mode['severity'] == 'warning' and 'chmod' in mode['text']
    assert (checked['usable'], checked['errors'], checked['warnings']) == (False, 1, 1)


def test_json_of_a_good_one(config):
    done = check('--json', config(GOOD))
    server, client, checked = [json.loads(line) for line in done.stdout.splitlines()]
    assert (server['kind'], server['port'], server['net']) == ('server', 8080, '10.50.10.1/24')
    assert server['clients'][0]['routes'] == ['192.168.7.0/24']
    assert (client['kind'], client['name']) == ('client', 'tun1')
    assert checked['usable'] and 'geheim' not in done.stdout and HASH not in done.stdout


def test_standard_input():
    done = check('-', input=GOOD)
    assert done.returncode == 0 and '<stdin>: 0 errors' in done.stderr
    assert check('-', input='').returncode == 1


@pytest.mark.parametrize('args, status, words', [
    ([], 2, 'CONFIG.json'),
    (['a', 'b'], 2, 'weft help check'),
    (['/no/such/file'], 1, 'cannot read /no/such/file: No such file'),
    (['/'], 1, 'Is a directory'),
])
def test_nothing_to_read(args, status, words):
    done = check(*args)
    assert done.returncode == status and words in done.stderr


def test_too_large(tmp_path):
    path = tmp_path / 'large.json'
    path.write_text('[' + ' ' * (1 << 20))
    os.chmod(path, 0o600)
    done = check(path)
    assert done.returncode == 1 and 'at most 1048576' in done.stderr

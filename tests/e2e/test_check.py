# SPDX-License-Identifier: MIT
"""`weft check`: what people see of a configuration, its exit status, and what is not shown."""
import json
import os
import pathlib
import re
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
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **options)


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


EXAMPLES = re.findall(r'```json\n(.*?)```',
                      (pathlib.Path(__file__).resolve().parents[2] / 'docs/tunnel.md').read_text(), re.S)


@pytest.mark.parametrize('number', range(len(EXAMPLES)))
def test_example_of_the_documentation(config, pem, number):
    """With certificates where the page has /etc/weft."""
    example = EXAMPLES[number].replace('/etc/weft/issuer.pem', f'{pem}/key.crt').replace(
        '/etc/weft/cert.pem', f'{pem}/key.crt').replace('/etc/weft/key.pem', f'{pem}/key.pem')
    done = check(config(example))
    assert done.returncode == 0 and '0 errors, 0 warnings' in done.stderr, done.stderr


def test_question_of_the_documentation(config):
    page = (pathlib.Path(__file__).resolve().parents[2] / 'docs/tunnel.md').read_text()
    question, answer = re.search(r'\$ weft check (--explain .*) tunnel.json\n(( {4}.*\n)+)', page).groups()[:2]
    done = check(*question.split(), config(next(text for text in EXAMPLES if 'phone-1' in text)))
    assert done.stdout.splitlines() == [line.strip() for line in answer.splitlines()]


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


def test_passwords_are_blotted_out(config):
    lines = ('[{ "name": "a b", "server": "http://me:geheim@x/", "token": "x",\n"proxy": "http://du:wort@y z/",'
             '\n"headers": { "Authorization": "Basic YWJj", "Cookie": "k=v", "x-site": "7", "te": "x" } }]')
    done = check(config(lines))
    assert done.returncode == 1
    for secret in ('geheim', 'wort', 'YWJj', 'k=v'):
        assert secret not in done.stderr
    assert 'http://*********@x/' in done.stderr and '"x-site": "7"' in done.stderr


EXTENDED = f'''[
  {{ "name": "hub", "port": 8080, "listen": "127.0.0.1", "net": "10.20.0.1/24", "net6": "fd00:20::1/64",
    "congestion": "bbr", "push": ["192.168.0.0/24"],
    "acl": [ {{ "from": "office", "to": ["*", "__self__"], "protocol": "tcp", "ports": [22, "80-90"] }} ],
    "exits": [ {{ "from": "office", "via": "gateway-*", "mode": "balance" }}, {{ "via": "gateway-b" }} ],
    "clients": [
      {{ "token": "{HASH}", "ips": ["fd00:20::2", "10.20.0.2"], "name": "gateway-a", "tags": ["office"] }},
      {{ "token": "{HASH[::-1]}", "ip": "10.20.0.3", "name": "gateway-b", "source_check": false }}
    ] }},
  {{ "name": "lan", "port": 8081, "mode": "ethernet", "bridge": "br0", "clients": [ {{ "token": "{HASH}" }} ] }},
  {{ "name": "site", "server": "https://hub.example.org/", "token": "geheim", "streams": 4, "http2": true,
    "proxy": "socks5h://me:wort@192.0.2.1:1080", "family": "ipv4", "accept_routes": ["192.168.0.0/16"],
    "pin": "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "headers": {{ "x-site": "7" }} }}
]
'''


def test_meaning_of_everything(config):
    done = check(config(EXTENDED))
    assert done.returncode == 0, done.stderr
    for words in ('server on port 8080 at 127.0.0.1, 10.20.0.1/24, fd00:20::1/64, MTU 1500, bbr',
                  'clients are told of 192.168.0.0/24', 'gateway-a  also fd00:20::2  tags office',
                  'gateway-b  may send from any address',
                  'line 4: office may talk to *, __self__ (tcp 22, 80-90)',
                  'line 5: office goes out via gateway-*, spread over all good ones by nearness',
                  'line 5: everybody goes out via gateway-b, the best one',
                  'Ethernet server on port 8081, MTU 1500, port of br0',
                  'by proxy socks5h://192.0.2.1:1080, IPv4 only, HTTP/2, 4 streams each way, pinned key',
                  'takes routes in 192.168.0.0/16'):
        assert words in done.stdout
    assert 'wort' not in done.stdout and 'geheim' not in done.stdout


def test_meaning_of_everything_as_json(config):
    done = check('--json', config(EXTENDED))
    hub, lan, site, checked = [json.loads(line) for line in done.stdout.splitlines()]
    assert checked['usable']
    assert hub['acl'] == [{'line': 4, 'from': ['office'], 'to': ['*', '__self__'], 'protocol': 'tcp',
                           'ports': [22, '80-90']}]
    assert [e['mode'] for e in hub['exits']] == ['balance', 'failover'] and hub['exits'][1]['from'] == []
    assert (hub['listen'], hub['net6'], hub['push']) == ('127.0.0.1', 'fd00:20::1/64', ['192.168.0.0/24'])
    assert hub['clients'][0]['ips'] == ['10.20.0.2', 'fd00:20::2'] and hub['clients'][0]['tags'] == ['office']
    assert [c['source_check'] for c in hub['clients']] == [True, False]
    assert (lan['mode'], lan['bridge'], 'net' in lan, 'acl' in lan) == ('ethernet', 'br0', False, False)
    assert (site['streams'], site['http2'], site['pinned'], site['family']) == (4, True, True, 'ipv4')
    assert (site['proxy'], site['accept_routes']) == ('socks5h://192.0.2.1:1080', ['192.168.0.0/16'])
    assert 'wort' not in done.stdout and 'geheim' not in done.stdout and HASH not in done.stdout


# ---- what becomes of a packet ----------------------------------------------------------------

ASKED = f'''[ {{ "name": "hub", "port": 8080, "net": "10.20.0.1/24",
  "acl": [ {{ "from": "office", "to": "*", "protocol": "tcp", "ports": [443] }},
           {{ "from": "*", "to": "__self__" }} ],
  "clients": [ {{ "token": "{HASH}", "ip": "10.20.0.2", "name": "berlin", "tags": ["office"] }},
               {{ "token": "{HASH[::-1]}", "ip": "10.20.0.3", "name": "shop", "routes": ["192.168.7.0/24"] }} ]
}} ]'''


@pytest.mark.parametrize('question, status, words', [
    ('berlin 192.168.7.9 --protocol tcp --port 443', 0,
     'goes to client "shop", which has 192.168.7.0/24\npasses: the rule in {}:2 allows it'),
    ('berlin shop', 0, 'passes if it is what the rule in {}:2 allows: TCP to port 443'),
    ('berlin shop --protocol udp', 3, 'no rule allows it'),
    ('shop berlin', 3, 'no rule allows it'),
    ('shop __self__ --interface hub', 0, 'the rule in {}:3 allows it'),
])
def test_explain(config, question, status, words):
    path = config(ASKED)
    done = check('--explain', *question.split(), path)
    assert (done.returncode, done.stderr) == (status, '')
    assert words.format(path) in done.stdout


def test_explain_as_json(config):
    done = check('--json', '--explain', 'shop', '10.20.0.2', config(ASKED))
    explained, checked = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3 and checked['usable']
    assert (explained['src'], explained['dst'], explained['passes']) == ('shop', '10.20.0.2', False)
    assert any('comes in from client "shop"' in sentence for sentence in explained['sentences'])


@pytest.mark.parametrize('question, words', [
    (['--explain', 'shop'], '--explain needs SRC, DST and CONFIG.json'),
    (['--explain', 'shop', 'nobody'], 'nobody is no address'),
    (['--explain', 'shop', 'berlin', '--interface', 'tun9'], 'tun9'),
    (['--port', '80'], 'of the packet of --explain'),
    (['shop'], 'one file at a time'),
])
def test_questions_without_sense(config, question, words):
    done = check(*question, config(ASKED))
    assert done.returncode == 2 and words in done.stderr and done.stdout == ''


def test_explain_nothing_of_a_wrong_one(config):
    done = check('--explain', 'shop', 'berlin', config(ASKED.replace('8080', '0')))
    assert done.returncode == 1 and 'cannot be used' in done.stderr and done.stdout == ''


# ---- files that are named ---------------------------------------------------------------------

@pytest.fixture(scope='module')
def pem(tmp_path_factory):
    """A certificate with its key, and the key of another."""
    folder = tmp_path_factory.mktemp('pem')
    for name in ('key', 'other'):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                        '-keyout', folder / f'{name}.pem', '-out', folder / f'{name}.crt', '-subj', '/CN=hub'],
                       check=True, stderr=subprocess.DEVNULL)
        (folder / f'{name}.pem').chmod(0o600)
    return folder


def with_tls(cert, key):
    return GOOD.replace('"port"', f'"tls": {{ "cert": "{cert}", "key": "{key}" }}, "port"')


def test_certificate_and_key(config, pem):
    done = check(config(with_tls(pem / 'key.crt', pem / 'key.pem')))
    assert done.returncode == 0 and 'MTU 1400, TLS' in done.stdout and '0 warnings' in done.stderr


@pytest.mark.parametrize('cert, key, words', [
    ('none.crt', 'key.pem', '[0].tls.cert: cannot read {}/none.crt: No such file'),
    ('key.crt', 'none.pem', '[0].tls.key: cannot read {}/none.pem: No such file'),
    ('key.crt', 'other.pem', '[0].tls: the key in {0}/other.pem is not that of the first certificate in {0}/key.crt'),
    ('key.pem', 'key.pem', '[0].tls.cert: {}/key.pem holds no certificate in PEM'),
    ('key.crt', 'key.crt', '[0].tls.key: {}/key.crt holds no key in PEM'),
    ('key.crt', '', '[0].tls.key: {}/ is no file in PEM'),
])
def test_files_that_a_server_cannot_use(config, pem, cert, key, words):
    done = check(config(with_tls(pem / cert, f'{pem}/{key}')))
    assert done.returncode == 1
    assert f'error: {words.format(pem)}' in done.stderr


def test_pipe_in_the_place_of_a_certificate(config, pem, tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    done = check(config(with_tls(tmp_path / 'pipe', pem / 'key.pem')))
    assert done.returncode == 1 and f'{tmp_path}/pipe is no file in PEM' in done.stderr


def test_file_that_only_others_may_read(config, pem, tmp_path):
    """Whoever runs the tunnel may have rights that whoever checks has not."""
    key = tmp_path / 'key.pem'
    key.write_text((pem / 'key.pem').read_text())
    key.chmod(0)
    path = config(with_tls(pem / 'key.crt', key))
    done = subprocess.run(['setpriv', '--bounding-set=-all', p.WEFT, 'check', path], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0
    assert f'warning: [0].tls.key: cannot read {key}: Permission denied; whoever runs' in done.stderr


def test_key_that_others_may_read(config, pem, tmp_path):
    key = tmp_path / 'key.pem'
    key.write_text((pem / 'key.pem').read_text())
    key.chmod(0o644)
    done = check('--json', config(with_tls(pem / 'key.crt', key)))
    faults = [e for e in map(json.loads, done.stdout.splitlines()) if e['event'] == 'fault']
    assert done.returncode == 0
    assert [(f['severity'], f['path']) for f in faults] == [('warning', '[0].tls.key')]
    assert 'mode 0644' in faults[0]['text'] and f'chmod 600 {key}' in faults[0]['text']


def test_certificates_of_a_client(config, pem):
    client = GOOD.replace('"token": "geheim"', f'"token": "geheim", "ca": "{pem}/NAME"')
    assert check(config(client.replace('NAME', 'key.crt'))).returncode == 0
    done = check(config(client.replace('NAME', 'key.pem')))
    assert done.returncode == 1 and '[1].ca: ' in done.stderr and 'no certificate' in done.stderr


def test_others_may_read_it(config):
    done = check(config(GOOD, 0o640))
    assert done.returncode == 0
    assert 'mode 0640' in done.stderr and 'chmod 600' in done.stderr
    assert 'it holds tokens, and hashes that tokens can be guessed by' in done.stderr
    assert '1 warning: it can be used' in done.stderr


@pytest.mark.parametrize('begin, end, held', [
    (0, 1, 'hashes that tokens can be guessed by'), (1, 2, 'a token')], ids=['server', 'client'])
def test_what_others_may_read(config, begin, end, held):
    text = json.dumps(json.loads(GOOD)[begin:end])
    assert f'it holds {held}; run: chmod 600' in check(config(text, 0o644)).stderr


def test_the_file_of_a_later_tapotun(config):
    done = check(config('[{ "name": "tun0", "nodes": { "__self__": { "ip": "10.0.0.1" } } }]'))
    assert done.returncode == 1
    assert 'this is for a later tapotun' in done.stderr and 'write "clients" instead' in done.stderr


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

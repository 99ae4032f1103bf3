# SPDX-License-Identifier: MIT
"""weft tunnel server, client and token: tunnels without a file.

    hub ------------ 192.0.2.0/30 ------------ site
    tun0 10.77.0.1/24 === HTTP, port 8080 === tun0 10.77.0.2
"""
import hashlib
import json
import os
import pathlib
import pty
import re
import signal
import subprocess

import pytest

import party as p
from tunnels import lab, ping


def weft(*args, env=None, **options):
    return subprocess.run([p.WEFT, *map(str, args)], text=True, timeout=60, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, start_new_session=True,
                          **options)


def printed(*args, **options):
    """The one interface that --print-config prints."""
    done = weft('tunnel', *args, '--print-config', **options)
    assert done.returncode == 0, done.stderr
    interface, = json.loads(done.stdout)
    return interface, done.stderr


def start(lab, host, arguments, env=None):
    process = p.Weft(lab, host, f'{p.WEFT} tunnel {arguments} --json', env={'TERM': 'dumb', **(env or {})})
    lab.processes.append(process)
    return process


# ---- running -----------------------------------------------------------------------------------

def test_two_lines_make_a_tunnel(lab):
    server = start(lab, 'hub', 'server --client site')
    token = server.wait_event('token', client='site')
    assert token['url'].startswith('http://') and token['url'].endswith(':8080/')
    server.wait_event('ready')
    client = start(lab, 'site', 'client http://192.0.2.1:8080/', env={'WEFT_TOKEN': token['token']})
    client.wait_event('connected', address='10.77.0.2/24')
    server.wait_event('connected', name='site')
    ping(lab, 'site', '10.77.0.1')
    environment = pathlib.Path(f'/proc/{client.popen.pid}/environ').read_text()
    assert token['token'] not in environment
    assert token['token'] not in pathlib.Path(f'/proc/{client.popen.pid}/cmdline').read_text()
    assert client.stop() == 0 and server.stop() == 0


def test_tokens_outlive_a_restart(lab):
    path = f'{lab.directory}/tokens'
    server = start(lab, 'hub', f'server --tokens-file {path} --client a --client b')
    token = server.wait_event('token', client='b')['token']
    server.wait_event('ready')
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert server.stop() == 0
    again = start(lab, 'hub', f'server --tokens-file {path}')
    again.wait_event('ready')
    assert again.events('token') == []
    pathlib.Path(f'{lab.directory}/token').write_text(token + '\n')
    client = start(lab, 'site', f'client http://192.0.2.1:8080/ --token-file {lab.directory}/token')
    client.wait_event('connected', address='10.77.0.3/24')
    assert client.stop() == 0 and again.stop() == 0


def test_ethernet(lab):
    server = start(lab, 'hub', 'server --mode ethernet --name tap7')
    token = server.wait_event('token', client='client')['token']
    server.wait_event('ready')
    client = start(lab, 'site', 'client --mode ethernet http://192.0.2.1:8080/', env={'WEFT_TOKEN': token})
    client.wait_event('connected')
    lab.run('hub', 'ip address add 10.5.0.1/24 dev tap7')
    lab.run('site', 'ip address add 10.5.0.2/24 dev tap0')
    ping(lab, 'site', '10.5.0.1')
    assert client.stop() == 0 and server.stop() == 0


def test_route_of_the_server(lab):
    lab.run('hub', 'ip address add 192.168.5.1/24 dev lo')
    server = start(lab, 'hub', 'server --route 192.168.5.0/24')
    token = server.wait_event('token')['token']
    server.wait_event('ready')
    client = start(lab, 'site', 'client http://192.0.2.1:8080/', env={'WEFT_TOKEN': token})
    client.wait_event('connected')
    ping(lab, 'site', '192.168.5.1')
    assert client.stop() == 0 and server.stop() == 0


def test_tls_and_a_pinned_key(lab):
    folder = lab.directory
    lab.run(None, f'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=hub '
                  f'-keyout {folder}/key.pem -out {folder}/cert.pem')
    os.chmod(f'{folder}/key.pem', 0o600)
    public = subprocess.run(['openssl', 'pkey', '-in', f'{folder}/key.pem', '-pubout', '-outform', 'DER'],
                            check=True, stdout=subprocess.PIPE).stdout
    server = start(lab, 'hub', f'server --tls-cert {folder}/cert.pem --tls-key {folder}/key.pem')
    token = server.wait_event('token')
    assert token['url'].startswith('https://')
    server.wait_event('ready')
    wrong = start(lab, 'site', f'client https://192.0.2.1:8080/ --name tun1 --pin {"00" * 32}',
                  env={'WEFT_TOKEN': token['token']})
    wrong.wait_event('ready')
    client = start(lab, 'site', f'client https://192.0.2.1:8080/ --pin {hashlib.sha256(public).hexdigest()}',
                   env={'WEFT_TOKEN': token['token']})
    client.wait_event('connected', address='10.77.0.2/24')
    ping(lab, 'site', '10.77.0.1')
    assert wrong.events('connected') == []
    for process in (wrong, client, server):
        assert process.stop() == 0


# ---- what a line means -------------------------------------------------------------------------

def test_a_server_as_a_file(tmp_path):
    tokens = tmp_path / 'tokens'
    args = ['server', '--tokens-file', tokens, '-c', 'the office', '-c', 'b', '--net', '10.7.0.252/24',
            '--net6', 'fd00:7::1/64', '--route', '192.168.1.0/24', '--listen', '::1', '--port', '81']
    server, said = printed(*args)
    found = dict(re.findall(r'^(.+):\n  WEFT_TOKEN=(\S+) weft tunnel client http://\[::1\]:81/$', said, re.M))
    assert list(found) == ['the office', 'b']
    hashes = [hashlib.sha1(token.encode()).hexdigest() for token in found.values()]
    assert server == {
        'name': 'tun0', 'port': 81, 'listen': '::1', 'net': '10.7.0.252/24', 'net6': 'fd00:7::1/64',
        'push': ['192.168.1.0/24'], 'clients': [
            {'name': 'the office', 'token': hashes[0], 'ip': '10.7.0.253', 'ips': ['fd00:7::2']},
            {'name': 'b', 'token': hashes[1], 'ip': '10.7.0.254', 'ips': ['fd00:7::3']}]}
    assert tokens.read_text().splitlines()[1:] == [f'{name} {token}' for name, token in found.items()]


def test_a_client_keeps_its_place(tmp_path):
    tokens = tmp_path / 'tokens'
    first, _ = printed('server', '--tokens-file', tokens, '-c', 'a', '-c', 'b')
    second, said = printed('server', '--tokens-file', tokens, '-c', 'c', '-c', 'b')
    assert [c['ip'] for c in first['clients']] == ['10.77.0.2', '10.77.0.3']
    assert [(c['name'], c['ip']) for c in second['clients']] == [('b', '10.77.0.3'), ('c', '10.77.0.4')]
    assert second['clients'][0] == first['clients'][1]
    assert 'c:' in said and 'b:' not in said
    third, said = printed('server', '--tokens-file', tokens)
    assert [c['name'] for c in third['clients']] == ['a', 'b', 'c'] and said == ''


def test_a_client_as_a_file():
    client, _ = printed('client', 'https://hub.example.org/', '--streams', '4', '--http2', '--accept-route',
                        '10.0.0.0/8', '--accept-route', 'fd00::/8', '--pin', 'ab' * 32, '--name', 'tun7',
                        env={'WEFT_TOKEN': 'geheim', 'WEFT_PROXY': 'http://me:wort@proxy:3128'})
    assert client == {'name': 'tun7', 'server': 'https://hub.example.org/', 'token': 'geheim',
                      'proxy': 'http://me:wort@proxy:3128', 'pin': 'ab' * 32, 'http2': True, 'streams': 4,
                      'accept_routes': ['10.0.0.0/8', 'fd00::/8']}
    client, _ = printed('client', 'http://hub/', '--accept-route', 'none', '--token-file', '-', input='geheim\n')
    assert client == {'name': 'tun0', 'server': 'http://hub/', 'token': 'geheim', 'accept_routes': False}
    client, _ = printed('client', 'http://hub/', '--mode', 'ethernet', env={'WEFT_TOKEN': 'x'})
    assert client == {'name': 'tap0', 'mode': 'ethernet', 'server': 'http://hub/', 'token': 'x'}


def test_what_is_printed_can_be_used(tmp_path):
    done = weft('tunnel', 'server', '--print-config')
    assert weft('check', '-', input=done.stdout).returncode == 0


@pytest.mark.parametrize('args, words', [
    ('server --net 10.0.0.0/24', '--net: "10.0.0.0/24" is the network address'),
    ('server --net6 10.0.0.1/24', '--net6: '),
    ('server --net 10.0.0.1/30 -c a -c b -c c', '--net: 10.0.0.3 is the broadcast address'),
    ('server --route 10.0.0.1/8', '--route: "10.0.0.1/8" has bits set'),
    ('server --listen localhost', '--listen: it must be an address'),
    ('server --tls-cert /none', '--tls-cert and --tls-key: "key" is missing'),
    ('server --tls-cert /none --tls-key /none', '--tls-key: cannot read /none: No such file'),
    ('server --mode ethernet --route 10.0.0.0/8', '--route: "push" means nothing'),
    ('server --name lo', '--name: found "lo"'),
    ('client hub', 'URL: a URL begins with http://'),
    ('client http://hub --pin 7', '--pin: '),
    ('client http://hub --accept-route 10.0.0.1/8', '--accept-route: '),
    ('client http://hub --ca /none', '--ca: cannot read /none'),
])
def test_faults_name_the_option(args, words):
    for more in ([], ['--print-config']):
        done = weft('tunnel', *args.split(), *more, env={'WEFT_TOKEN': 'x'})
        assert done.returncode == 1 and done.stdout == ''
        assert f'weft tunnel {args.split()[0]}: {words}' in done.stderr
        assert 'WEFT_TOKEN' not in done.stderr


@pytest.mark.parametrize('args, environment, words', [
    ('hub', {}, 'URL: a URL begins with http:// or https://; write "https://hub"'),
    ('hub:8080', {}, 'write "http://hub:8080", or https:// if that port speaks TLS'),
    ('https://hub/ --pin 7', {}, '--pin: '),
    ('http://hub/', {'WEFT_PROXY': 'ftp://proxy'}, '--proxy: a proxy goes over '),
    ('http://hub/', {'WEFT_TOKEN': 'a\tb'}, 'the token: a token has '),
])
def test_the_rest_is_looked_at_before_a_token_is_asked_for(args, environment, words):
    done = weft('tunnel', 'client', *args.split(), input='', env=environment)
    assert done.returncode == 1 and done.stdout == ''
    assert done.stderr.startswith('weft tunnel client: ') and words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize('word, meant', [('serve', 'server'), ('clint', 'client'),
                                         ('tokens --hash', 'token')])
def test_words_that_are_none(word, meant):
    done = weft('tunnel', *word.split())
    assert done.returncode == 2 and f'did you mean "{meant}"?' in done.stderr


def test_a_file_that_is_called_like_a_word(tmp_path):
    path = tmp_path / 'serve'
    path.write_text('[]')
    done = weft('tunnel', 'serve', cwd=tmp_path)
    assert 'did you mean' not in done.stderr and 'serve:1:1: error' in done.stderr


def test_faults_as_json():
    done = weft('tunnel', 'server', '--json', '--net', '10.0.0.0/24')
    fault, = [json.loads(line) for line in done.stdout.splitlines()]
    assert (fault['event'], fault['option'], fault['severity']) == ('fault', '--net', 'error')


@pytest.mark.parametrize('args, words', [
    ('server x', 'one too many'),
    ('server --port 0', '--port: 0 is not from 1 to 65535'),
    (f'server --client {"x" * 65}', 'a name has 1 to 64 bytes'),
    ('server --client #a', 'no # in front'),
    ('client', 'URL is missing'),
    ('client http://me:word@hub/', 'put this URL into a CONFIG.json'),
    ('client http://hub/ --proxy http://me:word@hub/', 'as WEFT_PROXY'),
    ('client http://hub/ --streams 9', 'not from 1 to 8'),
    ('token x', 'one too many'),
])
def test_wrong_lines(args, words):
    done = weft('tunnel', *args.split(), env={'WEFT_TOKEN': 'x'})
    assert done.returncode == 2 and words in done.stderr
    assert f'weft help tunnel {args.split()[0]}' in done.stderr


@pytest.mark.parametrize('args, words', [
    ('hub', 'it begins with http:// or https://'),
    ('ftp://hub/', 'it begins with http:// or https://'),
    ('http://hub/ --proxy http://me:word@hub/', 'as WEFT_PROXY'),
])
def test_wrong_lines_for_the_doctor(args, words):
    """They are found before anybody is asked for a token."""
    done = weft('doctor', *args.split())
    assert done.returncode == 2 and words in done.stderr and 'weft help doctor' in done.stderr


@pytest.mark.parametrize('text, words', [
    ('a x\na y\n', 'line 2: this name stands in an earlier line'),
    ('# nothing\nlonely\n', "line 2: each line is a client's name and its token"),
    ('a ' + 'x' * 1025 + '\n', 'line 1: '),
])
def test_a_tokens_file_that_is_none(tmp_path, text, words):
    path = tmp_path / 'tokens'
    path.write_text(text)
    path.chmod(0o600)
    done = weft('tunnel', 'server', '--tokens-file', path)
    assert done.returncode == 1 and f'--tokens-file: {path}: {words}' in done.stderr
    assert path.read_text() == text


def test_a_tokens_file_of_others(tmp_path):
    path = tmp_path / 'tokens'
    path.write_text('a x\n')
    path.chmod(0o644)
    _, said = printed('server', '--tokens-file', path)
    assert f'chmod 600 {path}' in said
    assert '/none/tokens: No such file' in weft('tunnel', 'server', '--tokens-file', '/none/tokens').stderr


# ---- secrets -----------------------------------------------------------------------------------

def test_no_terminal_to_ask():
    done = weft('tunnel', 'client', 'http://hub/', stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and 'give the token as WEFT_TOKEN, or by --token-file' in done.stderr


def on_terminal(typed, *args):
    """What a weft on a terminal prints there, and its status, after somebody has typed."""
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it
        os.execv(p.WEFT, [p.WEFT, *args])
    shown = b''
    try:
        while b'Token: ' not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, typed)
        while True:
            shown += os.read(terminal, 1000)
    except OSError:
        pass
    os.close(terminal)
    return shown.decode(), os.waitpid(pid, 0)[1]


def test_a_terminal_shows_no_token():
    shown, status = on_terminal(b'geheim\n', 'tunnel', 'token', '--ask')
    assert status == 0 and 'geheim' not in shown and '$argon2id$' in shown


def test_a_signal_at_the_terminal():
    shown, status = on_terminal(b'gehe\x03', 'tunnel', 'client', 'http://hub/')
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == 2 and 'gehe' not in shown


@pytest.mark.parametrize('text, words', [('', 'nothing in the first line'), ('x' * 1025, 'too long')])
def test_files_without_a_token(tmp_path, text, words):
    path = tmp_path / 'token'
    path.write_text(text)
    done = weft('tunnel', 'client', 'http://hub/', '--token-file', path)
    assert done.returncode == 1 and f'{path}: ' in done.stderr and words in done.stderr
    assert 'chmod 600' in done.stderr


def test_tokens_are_made_and_hashed():
    made = json.loads(weft('tunnel', 'token', '--json').stdout)
    assert hashlib.sha1(made['token'].encode()).hexdigest() == made['hash'] and len(made['token']) == 32
    assert json.loads(weft('tunnel', 'token', '--json').stdout)['token'] != made['token']
    slow = weft('tunnel', 'token', '--token-file', '-', input='geheim\n').stdout.split()
    assert slow[0] == 'hash' and slow[1].startswith('$argon2id$v=19$m=65536,t=2,p=1$')


def test_a_slow_hash_opens_a_server(lab):
    slow = weft('tunnel', 'token', '--token-file', '-', input='geheim\n').stdout.split()[1]
    path = pathlib.Path(f'{lab.directory}/hub.json')
    path.write_text(json.dumps([{'name': 'tun0', 'port': 8080, 'net': '10.77.0.1/24',
                                 'clients': [{'token': slow, 'ip': '10.77.0.2'}]}]))
    path.chmod(0o600)
    start(lab, 'hub', path).wait_event('ready')
    client = start(lab, 'site', 'client http://192.0.2.1:8080/', env={'WEFT_TOKEN': 'geheim'})
    client.wait_event('connected', address='10.77.0.2/24')
    assert client.stop() == 0


def test_help():
    for word in ('server', 'client', 'token'):
        done = weft('help', 'tunnel', word)
        assert done.returncode == 0 and done.stdout.startswith(f'usage: weft tunnel {word}')
        assert len(done.stdout.splitlines()) <= 31 and max(map(len, done.stdout.splitlines())) <= 90
        assert f'weft tunnel {word}' in weft('help', 'tunnel').stdout

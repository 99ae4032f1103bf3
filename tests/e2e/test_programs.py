# SPDX-License-Identifier: MIT
"""The programs on a stack, against the kernel and its programs, over a TAP.

    [ kernel 10.77.0.1/24, 2001:db8:77::1/64 ] --- tap0 --- [ weft nc, ping, http .2, ::2 ]

The commands of docs/tutorial.md are run as they stand there.
"""
import hashlib
import os
import pathlib
import re
import shlex
import subprocess
import time

import browser
import netlab
import party as p
import pytest

PEER = {'IPv4': '10.77.0.1', 'IPv6': '2001:db8:77::1'}
HOST = {'IPv4': '10.77.0.2', 'IPv6': '2001:db8:77::2'}
ON = '--link tap:tap0 --address 10.77.0.2/24 --address 2001:db8:77::2/64'
IMPAIRED = ON.replace('tap:', 'impair:loss=1%,delay=5ms:tap:')
MIB = 1 << 20

# A TCP server and client, and a UDP one, of the kernel's: bytes from and to files.
PYTHON = '''
import socket, sys, threading
what, host, port, source, sink = sys.argv[1:]
family = socket.AF_INET6 if ':' in host else socket.AF_INET

def exchange(one):
    def write():
        with open(source, 'rb') as file:
            while data := file.read(65536):
                one.sendall(data)
        one.shutdown(socket.SHUT_WR)
    writer = threading.Thread(target=write)
    writer.start()
    with open(sink, 'wb') as file:
        while data := one.recv(65536):
            file.write(data)
    writer.join()

if what == 'serve':
    with socket.create_server((host, int(port)), family=family) as server:
        print('listening', flush=True)
        exchange(server.accept()[0])
elif what == 'connect':
    exchange(socket.create_connection((host, int(port)), timeout=60))
elif what == 'udp':
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.bind((host, int(port)))
        print('listening', flush=True)
        data, peer = server.recvfrom(65536)
        server.sendto(data.upper(), peer)
'''


@pytest.fixture(scope='module')
def lab():
    """The kernel's side: a TAP with addresses."""
    lab = netlab.Lab()
    try:
        lab.host('kernel')
        lab.run('kernel', 'ip tuntap add dev tap0 mode tap vnet_hdr')
        for address in ('10.77.0.1/24', '2001:db8:77::1/64'):
            lab.run('kernel', f'ip address add {address} dev tap0')
        lab.run('kernel', 'ip link set tap0 up')
        yield lab
    finally:
        lab.close()


@pytest.fixture
def files(tmp_path):
    """Two files of random bytes, one for each direction, and where they are to arrive."""
    for name, length in (('up', 5 * MIB + 1), ('down', 3 * MIB + 7)):
        (tmp_path / name).write_bytes(os.urandom(length))
    return tmp_path


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def weft(lab, arguments, stdin=None, stdout=None, seconds=180):
    """Runs a program of weft's to its end; returns its status and what it said."""
    done = subprocess.run(lab.enter_host('kernel') + [p.WEFT] + shlex.split(arguments),
                          stdin=stdin or subprocess.DEVNULL, stdout=stdout or subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=seconds)
    return done.returncode, (done.stdout or b'') + done.stderr


def python(lab, *arguments):
    return lab.start('kernel', shlex.join(['/usr/bin/python3', '-c', PYTHON,
                                           *map(str, arguments)]))


def weft_start(lab, arguments, stdin=None, stdout=None):
    return subprocess.Popen(lab.enter_host('kernel') + [p.WEFT] + shlex.split(arguments),
                            stdin=stdin or subprocess.DEVNULL, stdout=stdout,
                            stderr=subprocess.PIPE)


# ---- ping --------------------------------------------------------------------------------------

@pytest.mark.parametrize('family', PEER)
@pytest.mark.parametrize('size', [16, 56, 1472, 1473, 20000])
def test_ping(lab, family, size):
    status, said = weft(lab, f'ping {ON} -c3 -i10ms -W60s -s{size} {PEER[family]}')
    assert status == 0, said
    assert len(re.findall(rb'icmp_seq=[123] ttl=64 time=', said)) == 3, said
    assert b'3 packets transmitted, 3 received, 0% packet loss' in said
    assert re.search(rb'min/avg/max = [\d.]+/[\d.]+/[\d.]+ ms', said)


@pytest.mark.parametrize('scope', ['', '%1', '%tap0'])
def test_ping_to_a_link_local_address(lab, scope):
    said = lab.run('kernel', 'ip -6 -o address show dev tap0 scope link')
    peer = re.search(r'inet6 (fe80::[0-9a-f:]+)', said).group(1)
    status, said = weft(lab, f'ping {ON} -c1 -W60s {peer}{scope}')
    assert status == 0, said
    status, said = weft(lab, f'ping {ON} -c1 -W60s {peer}%other')
    assert status == 1 and b'%other' in said, said


def test_ping_without_answer(lab):
    status, said = weft(lab, f'ping {ON} -c2 -i10ms -W300ms 10.77.0.99')
    assert status == 1
    assert b'2 packets transmitted, 0 received' in said and b'100% packet loss' in said


def test_ping_that_cannot_be_sent(lab):
    """What has not left is not waited for."""
    status, said = weft(lab, f'ping {ON} -c1 -W1h 192.0.2.9')
    assert status == 1 and b'request 1: Network is unreachable' in said, said


# ---- nc ----------------------------------------------------------------------------------------

@pytest.mark.parametrize('on', [ON, IMPAIRED], ids=['clean', 'impaired'])
@pytest.mark.parametrize('family', PEER)
def test_nc_connects(lab, files, family, on):
    """Both ways at once, each direction ended by its half-close."""
    server = python(lab, 'serve', PEER[family], 9000, files / 'down', files / 'up.got')
    server.wait_for('listening')
    with open(files / 'up', 'rb') as up, open(files / 'down.got', 'wb') as down:
        status, said = weft(lab, f'nc {on} {PEER[family]} 9000', up, down)
    assert status == 0, said
    assert server.popen.wait(netlab.PATIENCE) == 0
    for name in ('up', 'down'):
        assert checksum(files / name) == checksum(files / f'{name}.got'), name


@pytest.mark.parametrize('family', HOST)
def test_nc_listens(lab, files, family):
    with open(files / 'up', 'rb') as up, open(files / 'down.got', 'wb') as down:
        nc = weft_start(lab, f'nc {ON} -l 9000', up, down)
        assert b'waiting for a peer' in nc.stderr.readline()
        lab.until(lambda: 'bytes from' in lab.run('kernel', f'ping -c1 -W1 {HOST[family]}', False))
        client = python(lab, 'connect', HOST[family], 9000, files / 'down', files / 'up.got')
        assert client.popen.wait(netlab.PATIENCE) == 0, client.output()
        assert nc.wait(netlab.PATIENCE) == 0, nc.stderr.read()
    for name in ('up', 'down'):
        assert checksum(files / name) == checksum(files / f'{name}.got'), name


def test_nc_into_a_slow_pipe(lab, files):
    """A reader that sleeps stops the sender; nothing is lost."""
    server = python(lab, 'serve', PEER['IPv4'], 9000, files / 'down', '/dev/null')
    server.wait_for('listening')
    nc = weft_start(lab, f'nc {ON} {PEER["IPv4"]} 9000', stdout=subprocess.PIPE)
    first = nc.stdout.read(1000)
    time.sleep(1)
    assert hashlib.sha256(first + nc.stdout.read()).hexdigest() == checksum(files / 'down')
    assert nc.wait(netlab.PATIENCE) == 0, nc.stderr.read()


def test_nc_refused(lab):
    status, said = weft(lab, f'nc {ON} 10.77.0.1 9')
    assert status == 1 and b'Connection refused' in said, said


@pytest.mark.parametrize('family', PEER)
def test_nc_udp(lab, family):
    server = python(lab, 'udp', PEER[family], 9000, '-', '-')
    server.wait_for('listening')
    nc = weft_start(lab, f'nc {ON} -u -w 5s {PEER[family]} 9000', subprocess.PIPE, subprocess.PIPE)
    said, errors = nc.communicate(b'hello', timeout=60)
    assert said == b'HELLO' and nc.returncode == 0, errors


def test_nc_udp_listens(lab):
    nc = weft_start(lab, f'nc {ON} -u -l 9000 -w 5s', subprocess.PIPE, subprocess.PIPE)
    assert b'waiting for a peer' in nc.stderr.readline()
    got = lab.run('kernel', "sh -c 'echo question | nc -u -w1 10.77.0.2 9000'", False)
    said, _ = nc.communicate(b'', timeout=60)
    assert said == b'question\n' and got == ''


# ---- http --------------------------------------------------------------------------------------

@pytest.fixture(params=[ON, IMPAIRED], ids=['clean', 'impaired'])
def site(request, lab, tmp_path_factory):
    """A server of a directory; yields the directory."""
    top = tmp_path_factory.mktemp('site')
    directory = top / 'www'
    (directory / 'sub').mkdir(parents=True)
    (directory / 'index.html').write_text('<p>the index</p>')
    (directory / 'sub/index.html').write_text('<p>below</p>')
    (directory / 'a b.txt').write_text('0123456789')
    # What is lost is sent again after a round trip; without loss there is time for more.
    (directory / 'big').write_bytes(os.urandom((8 if request.param is IMPAIRED else 50) * MIB))
    (directory / 'empty').write_bytes(b'')
    (top / 'secret').write_text('secret')
    (directory / 'link').symlink_to(top / 'secret')
    os.mkfifo(directory / 'fifo')
    for path in (top, *top.parents):
        if path != pathlib.Path('/tmp') and str(path).startswith('/tmp/'):
            path.chmod(0o755)
    server = p.Weft(lab, 'kernel', f'{p.WEFT} http --json {request.param} {directory}')
    lab.processes.append(server)
    server.wait_event('ready')
    lab.until(lambda: 'bytes from' in lab.run('kernel', f'ping -c1 -W1 {HOST["IPv6"]}', False))
    server.directory = directory
    server.is_impaired = request.param is IMPAIRED
    yield server
    assert server.stop() == 0


def curl(lab, options, path, host='10.77.0.2'):
    return lab.run('kernel', f'curl -sS --max-time 200 {options} "http://{host}{path}"', seconds=210)


def test_http(lab, site, tmp_path):
    """A big file, small ones, ranges, and what there is not."""
    for host in ('10.77.0.2', '[2001:db8:77::2]')[site.is_impaired:]:
        curl(lab, f'-g -o {tmp_path}/big', '/big', host)
        assert checksum(tmp_path / 'big') == checksum(site.directory / 'big')
    assert curl(lab, '', '/') == '<p>the index</p>'
    assert curl(lab, '', '/sub/') == '<p>below</p>'
    (site.directory / 'unlisted').mkdir(exist_ok=True)
    assert '404' in curl(lab, '-i', '/unlisted/')
    assert curl(lab, '-L', '/sub') == '<p>below</p>'
    assert curl(lab, '', '/a%20b.txt?x=y') == '0123456789'
    assert curl(lab, '', '/empty') == ''
    said = curl(lab, '-I', '/a%20b.txt')
    assert 'Content-Length: 10' in said and 'text/plain' in said and '200 OK' in said
    for wanted, got in (('2-4', '234'), ('7-', '789'), ('-2', '89'), ('3-99', '3456789')):
        assert curl(lab, f'-r {wanted}', '/a%20b.txt') == got
    assert '416' in curl(lab, '-r 10- -i', '/a%20b.txt')
    assert 'bytes 2-4/10' in curl(lab, '-r 2-4 -i', '/a%20b.txt')
    code = "-o /dev/null -w '%{http_code}'"
    for path in ('/none', '/link', '/fifo', '/../secret', '/%2e%2e/secret', '/sub/../../secret',
                 '/a%20b.txt/', '/a%20b.txt/x'):
        assert curl(lab, f'--path-as-is {code}', path) == '404', path
    assert curl(lab, f'{code} -X DELETE', '/') == '405'
    # Two requests on one connection.
    said = lab.run('kernel', "curl -sS -o /dev/null -o /dev/null -w '%{num_connects}' "
                   'http://10.77.0.2/ http://10.77.0.2/empty')
    assert said == '10'


@pytest.mark.parametrize('site', [f'{ON} --list'], ids=['list'], indirect=True)
def test_http_lists_a_directory(lab, site):
    """Where it has no index, and may be looked into."""
    folder = site.directory / 'folder'
    folder.mkdir()
    (folder / 'a & b').write_text('shared')
    (folder / 'link').symlink_to(site.directory.parent / 'secret')
    page = curl(lab, '', '/folder/')
    assert re.findall('href="(.*?)"', page) == ['../', 'a%20%26%20b']
    assert curl(lab, '', '/folder/a%20%26%20b') == 'shared'
    assert 'Location: /folder/' in curl(lab, '-I', '/folder')
    said = curl(lab, '-I', '/folder/')
    assert f'Content-Length: {len(page)}' in said and 'text/html' in said
    assert curl(lab, '', '/') == '<p>the index</p>'
    folder.chmod(0o311)  # to nobody, who serves it
    assert '404' in curl(lab, '-i', '/folder/')
    folder.chmod(0o755)


@pytest.mark.parametrize('site', [ON], ids=['clean'], indirect=True)
def test_http_as_browsers_download(lab, site, tmp_path):
    """100 MB in pieces: six connections at once, four requests on each; then one that is resumed."""
    (site.directory / 'large').write_bytes(os.urandom(100_000_000))
    whole = tmp_path / 'whole'
    whole.write_bytes(browser.download(lab, 'kernel', 'http://10.77.0.2/large', 100_000_000,
                                       tmp_path))
    assert checksum(whole) == checksum(site.directory / 'large')
    os.truncate(whole, 20_000_007)
    curl(lab, f'-C - -o {whole}', '/large')
    assert checksum(whole) == checksum(site.directory / 'large')


def answered(lab, path, seconds):
    """How many requests were in that time, all of them well."""
    said = lab.run('kernel', f'wrk -t2 -c64 -d{seconds}s --timeout 60s http://10.77.0.2{path}')
    assert 'Socket errors' not in said and 'Non-2xx' not in said, said
    return int(re.search(r'(\d+) requests in', said)[1])


@pytest.mark.parametrize('site', [ON], ids=['clean'], indirect=True)
def test_http_under_load(lab, site):
    """Sixty-four connections that ask again as soon as they are answered; one page, a bigger one."""
    for path, least in (('/', 1000), ('/medium', 50)):
        (site.directory / 'medium').write_bytes(os.urandom(200000))
        assert any(answered(lab, path, seconds) >= least for seconds in (1, 10, 30)), path
    assert curl(lab, '', '/') == '<p>the index</p>'


HOSTILE = '''
import socket, sys
CASES = [
    (b'\\r\\n\\r\\n', b'400'), (b'GET\\r\\n\\r\\n', b'400'), (b'GET / HTTP/1.1\\r\\n\\r\\n', b'400'),
    (b'GET / HTTP/2.0\\r\\nHost: x\\r\\n\\r\\n', b'505'), (b'GET x HTTP/1.0\\r\\n\\r\\n', b'400'),
    (b'GET /%00 HTTP/1.0\\r\\n\\r\\n', b'400'), (b'GET /%4 HTTP/1.0\\r\\n\\r\\n', b'400'),
    (b'GET /\\0 HTTP/1.0\\r\\n\\r\\n', b'400'), (b'BREW / HTTP/1.0\\r\\n\\r\\n', b'501'),
    (b'GET / HTTP/1.0\\r\\nno colon\\r\\n\\r\\n', b'400'),
    (b'GET / HTTP/1.0\\r\\nHost : x\\r\\n\\r\\n', b'400'),
    (b'GET / HTTP/1.0\\r\\nContent-Length: 5\\r\\n\\r\\nhello', b'400'),
    (b'GET / HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n', b'400'),
    (b'GET /' + b'a' * 2000 + b' HTTP/1.0\\r\\n\\r\\n', b'414'),
    (b'GET / HTTP/1.0\\r\\n' + b'a: b\\r\\n' * 3000, b'431'), (b'a' * 9000, b'431'),
    (b'GET / HTTP/1.0\\r\\n\\r\\n', b'200'), (b'GET / HTTP/1.0\\n\\n', b'200'),
    (b'GET / HTTP/1.0\\r\\nRange: bytes=x-y\\r\\n\\r\\n', b'200'),
    (b'GET / HTTP/1.0\\r\\nRange: bytes=9-1,2-3\\r\\n\\r\\n', b'200'),
    (b'GET / HTTP/1.0\\r\\nRange: bytes=99999999999999999999-\\r\\n\\r\\n', b'200'),
]
for text, status in CASES:
    with socket.create_connection(('10.77.0.2', 80), timeout=60) as one:
        one.sendall(text)
        got = b''
        while b'\\r\\n' not in got and (more := one.recv(65536)):
            got += more
        assert got.startswith(b'HTTP/1.1 ' + status), (text[:60], got[:60])
# The one too many is served as well, and who has waited longest gives way.
def ask(one):
    one.sendall(b'GET /empty HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
    return one.recv(4096).startswith(b'HTTP/1.1 200')
many, left = [], 0
for _ in range(300):
    many.append(socket.create_connection(('10.77.0.2', 80), timeout=60))
    assert ask(many[-1])
for one in many:
    try:
        left += ask(one)
    except (ConnectionResetError, BrokenPipeError):
        pass
assert left == 256, left
for one in many:
    one.close()
'''


@pytest.mark.parametrize('site', [ON], ids=['clean'], indirect=True)
def test_http_hostile(lab, site):
    """What is no request, too long, or too much of it."""
    lab.run('kernel', shlex.join(['/usr/bin/python3', '-c', HOSTILE]))
    assert curl(lab, '', '/') == '<p>the index</p>'
    # Who asks for what is no UTF-8 is told of as well, without it.
    assert curl(lab, '', '/%ff') == ''
    assert 'path' not in site.wait_event('request', status=404)


# ---- the tutorial ------------------------------------------------------------------------------

def commands():
    """What docs/tutorial.md says to type, in its order."""
    text = (p.ROOT / 'docs/tutorial.md').read_text()
    blocks = re.findall(r'^```(\w*)\n(.*?)^```$', text, re.M | re.S)
    return [line for language, block in blocks if not language for line in block.splitlines()]


class Terminal:
    """A shell's commands in a directory, with weft and sudo as the tutorial has them."""

    def __init__(self, lab, path):
        self.lab, self.path, self.running = lab, path, None
        tools = path / 'bin'
        tools.mkdir()
        (tools / 'weft').symlink_to(p.WEFT)
        (tools / 'sudo').write_text('#!/bin/sh\nexec "$@"\n')
        (tools / 'sudo').chmod(0o755)
        self.env = {**os.environ, 'PATH': f'{tools}:/usr/sbin:/sbin:{os.environ["PATH"]}', 'USER': 'root'}

    def start(self, command):
        log = open(self.path / 'log', 'w+')
        self.running = subprocess.Popen(
            self.lab.enter_host('machine') + ['sh', '-c', f'exec {command}'], cwd=self.path,
            env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def run(self, command):
        done = subprocess.run(self.lab.enter_host('machine') + ['sh', '-c', command],
                              cwd=self.path, env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        assert done.returncode == 0, (command, done.stdout, self.said())
        return done.stdout

    def said(self):
        return (self.path / 'log').read_text() if self.running else ''

    def ready(self, text):
        self.lab.until(lambda: text in self.said())

    def stop(self):
        self.running.terminate()
        assert self.running.wait(netlab.PATIENCE) == 0, self.said()

    def end(self):
        assert self.running.wait(netlab.PATIENCE) == 0, self.said()


def test_tutorial(tmp_path):
    """Each command of docs/tutorial.md as it stands there, in two terminals."""
    lab = netlab.Lab()
    todo = iter(commands())
    try:
        lab.host('machine')
        one = Terminal(lab, tmp_path)
        tmp_path.chmod(0o755)
        readme = (p.ROOT / 'README.md').read_bytes()
        (tmp_path / 'README.md').write_bytes(readme)
        for _ in range(3):
            one.run(next(todo))
        # Ping it, and talk to it.
        one.start(next(todo))
        one.ready('answers at port 7')
        assert '3 received' in one.run(next(todo))
        assert one.run(next(todo)) == 'hello\n'
        assert one.run(next(todo)) == 'hello\n'
        one.stop()
        log = one.said()
        for text in ('arp_input: dev=tap0, op=Request, 10.77.0.1 > 10.77.0.2', 'arp_output: ',
                     'icmp_input: dev=tap0, type=Echo', 'icmp_output: dev=tap0, type=EchoReply',
                     'udp_input: ', 'tcp_input: ', 'tcp_output: ', '            vhl: 0x45 [v: 4'):
            assert text in log, text
        assert re.search(r'^\d\d:\d\d:\d\d\.\d{3} \[D\] ip_output: dev=tap0, ', log, re.M)
        # Ping from it.
        assert '3 received' in one.run(next(todo))
        # Send a file, both ways.
        one.start(next(todo))
        lab.until(lambda: ':9000' in lab.run('machine', 'ss -Hltn'))
        one.run(next(todo))
        one.end()
        assert (tmp_path / 'received').read_bytes() == readme
        one.start(next(todo))
        one.ready('waiting for a peer')
        one.run(next(todo))
        one.end()
        assert (tmp_path / 'received').read_bytes() == readme
        # Serve a directory, and break it.
        download = None
        for _ in range(2):
            one.start(next(todo))
            one.ready('serving files')
            download = download or next(todo)
            (tmp_path / 'received').unlink()
            one.run(download)
            assert (tmp_path / 'received').read_bytes() == readme
            one.stop()
        one.run(next(todo))
        assert next(todo, None) is None
    finally:
        lab.close()


# ---- a capture ---------------------------------------------------------------------------------

def test_replay(lab, tmp_path):
    """What a capture says of a ping, header by header; nobody is there to be answered."""
    capture = tmp_path / 'ping.pcap'
    weft(lab, f'ping --link capture:{capture}:tap:tap0 --address 10.77.0.2/24 '
         '-c2 -i10ms 10.77.0.1')
    status, said = weft(lab, f'echo --trace --link pcap:{capture},rate=fast '
                        '--address 10.77.0.1/24')
    assert status == 0, said
    assert said.count(b'icmp_input: ') >= 4 and b'type=Echo, ' in said and b'type=EchoReply' in said

# SPDX-License-Identifier: MIT
"""Clients who mean it ill, and slow ones, of the programs that are hosts of their own.

    [ kernel 10.77.0.1, .3 ] --- tap0 --- [ weft http .2 ]

    [ kernel 10.77.0.1 ] --- br0 --- tap0, tap1 --- [ weft echo .2 ], [ weft echo .3 ]
"""
import os
import shlex
import time

import netlab
import party as p
import pytest

SERVER = ('10.77.0.2', 80)
VILLAIN, OTHER = '10.77.0.1', '10.77.0.3'
CONNECTIONS_MAX = 256
LARGE = 2 << 20

# What a client does: one of these functions, with its address and more.
CLIENT = '''
import socket, sys, time
SERVER = ('10.77.0.2', 80)

def connect(address, receive_len=0):
    one = socket.socket()
    if receive_len:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_len)
    one.settimeout(20)
    one.bind((address, 0))
    one.connect(SERVER)
    return one

def ask(one, path):
    one.sendall(f'GET {path} HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n'.encode())

def read_all(one):
    got = b''
    while more := one.recv(65536):
        got += more
    return got

def fetch(address, path):
    one = connect(address)
    ask(one, path)
    print(read_all(one))

def hold(address, count):
    held = [connect(address) for _ in range(int(count) // 2)]
    for _ in held[:]:
        held.append(connect(address))
        held[-1].send(b'GET / HTTP')
    print('held', flush=True)
    time.sleep(600)

def read_slowly(address, seconds):
    one = connect(address, receive_len=16384)
    ask(one, '/large')
    begun, got = time.monotonic(), b''
    while more := one.recv(8192):
        got += more
        time.sleep(max(0, begun + float(seconds) * len(got) / 2**21 - time.monotonic()))
    print(len(got.partition(b'\\r\\n\\r\\n')[2]), 'bytes', flush=True)

def fill(address, count):
    held = [connect(address, receive_len=2**20) for _ in range(int(count))]
    for one in held:
        ask(one, '/huge')
        one.setblocking(False)
    for _ in range(8):
        time.sleep(0.3)
        for one in held:
            try:
                one.recv(2**18)  # a little, so that ever more is sent to it
            except BlockingIOError:
                pass
    print('filled', flush=True)
    time.sleep(600)

globals()[sys.argv[1]](*sys.argv[2:])
'''


def client(what, *arguments):
    return shlex.join(['/usr/bin/python3', '-c', CLIENT, what, *map(str, arguments)])


@pytest.fixture
def web(tmp_path):
    """A lab with weft http in it, and what it serves."""
    lab = netlab.Lab()
    try:
        tmp_path.chmod(0o755)
        lab.files = tmp_path
        (tmp_path / 'small').write_text('hello')
        (tmp_path / 'large').write_bytes(bytes(LARGE))
        lab.host('kernel')
        lab.run('kernel', 'ip tuntap add dev tap0 mode tap')
        for address in VILLAIN, OTHER:
            lab.run('kernel', f'ip address add {address}/24 dev tap0')
        lab.run('kernel', 'ip link set tap0 up')
        lab.weft = p.Weft(lab, 'kernel', f'{p.WEFT} http --json --link tap:tap0 '
                          f'--address {SERVER[0]}/24 {tmp_path}')
        lab.processes.append(lab.weft)
        lab.weft.wait_event('ready')
        yield lab
        assert lab.weft.stop() == 0
    finally:
        lab.close()


def is_served(lab, address):
    return 'hello' in lab.run('kernel', client('fetch', address, '/small'), check=False)


def test_who_holds_all_connections_holds_nobody_up(web):
    """Idle ones, and heads that never end: the longest silent gives way, a villain's first."""
    assert is_served(web, OTHER)
    for _ in range(2):
        villain = web.start('kernel', client('hold', VILLAIN, CONNECTIONS_MAX + 50))
        villain.wait_for('held')
        assert all(is_served(web, OTHER) for _ in range(3))


def test_who_storms_ends_nobody_elses(web):
    """A transfer goes on while another address opens more connections than there are."""
    reader = web.start('kernel', client('read_slowly', OTHER, 5))
    web.weft.wait_for('/large')
    villain = web.start('kernel', client('hold', VILLAIN, 3 * CONNECTIONS_MAX))
    villain.wait_for('held')
    reader.wait_for(f'^{LARGE} bytes')


def test_slow_client_gets_all_of_it(web):
    """All has been handed to the stack long before the client has it, who needs longer than the
    end of a connection may take."""
    reader = web.start('kernel', client('read_slowly', OTHER, 14))
    reader.wait_for(f'^{LARGE} bytes')


def test_who_reads_nothing_takes_nobodys_memory(web):
    """What waits for all of them together is less than the 256 MiB that a stack has for all."""
    with open(web.files / 'huge', 'wb') as huge:
        huge.truncate(64 << 20)
    villain = web.start('kernel', client('fill', VILLAIN, CONNECTIONS_MAX - 2))
    villain.wait_for('filled')
    reader = web.start('kernel', client('read_slowly', OTHER, 0))
    reader.wait_for(f'^{LARGE} bytes')
    assert web.weft.resident_kib() < 270 << 10


def test_fifo_is_not_opened(web):
    """Its writer would take whoever opens it for a reader, and be ended by SIGPIPE."""
    os.mkfifo(web.files / 'fifo')
    (web.files / 'fifo').chmod(0o644)
    writer = web.start('kernel', f"sh -c 'echo said > {web.files}/fifo'")
    time.sleep(0.2)
    assert '404' in web.run('kernel', client('fetch', OTHER, '/fifo'))
    assert (web.files / 'fifo').read_text() == 'said\n'
    assert writer.stop() == 0


# One datagram with a forged sender: a whole frame is sent, whatever the kernel would say to it.
FORGE = '''
import socket, struct, sys
to, mac, source, port = sys.argv[1:]
head = bytes([0x45, 0]) + struct.pack('>HHHBBH', 32, 1, 0, 64, 17, 0)
head += socket.inet_aton(source) + socket.inet_aton(to)
total = sum(struct.unpack('>10H', head))
total = (total & 0xffff) + (total >> 16)
head = head[:10] + struct.pack('>H', ~total & 0xffff) + head[12:]
frame = bytes.fromhex(mac.replace(':', '') + '0200000000990800') + head
frame += struct.pack('>HHHH', int(port), 7, 12, 0) + b'loop'
one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
one.bind(('br0', 0))
one.send(frame)
'''


@pytest.fixture
def echoes():
    """Two of weft's hosts that answer at port 7."""
    lab = netlab.Lab()
    try:
        lab.host('kernel')
        lab.switch('kernel')
        lab.run('kernel', f'ip address add {VILLAIN}/24 dev br0')
        lab.macs = {}
        for number in range(2):
            lab.run('kernel', f'ip tuntap add dev tap{number} mode tap')
            lab.run('kernel', f'ip link set tap{number} master br0 up')
            address = f'10.77.0.{number + 2}'
            echo = p.Weft(lab, 'kernel', f'{p.WEFT} echo --json --link tap:tap{number} '
                          f'--address {address}/24')
            lab.processes.append(echo)
            lab.macs[address] = echo.wait_event('ready')['mac']
            lab.until(lambda: not lab.unanswered('kernel', address, 1))
        yield lab
    finally:
        lab.close()


@pytest.mark.parametrize('port', [7, 19])
def test_echo_does_not_answer_what_answers(echoes, port):
    """One forged datagram would go to and fro between two of them for ever."""
    sniffer = echoes.start('kernel', 'tcpdump -n -l -i br0 udp')
    sniffer.wait_for('listening on')
    (first, mac), (second, _) = echoes.macs.items()
    echoes.run('kernel', shlex.join(['/usr/bin/python3', '-c', FORGE, first, mac, second,
                                     str(port)]))
    sniffer.wait_for(f'{second}.{port} > {first}.7')
    assert not echoes.unanswered('kernel', first, 3)  # an answer has been seen by now
    assert f'{first}.7 > {second}' not in sniffer.output()


MANY = '''
import resource, socket
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = []
for _ in range(1100):
    try:
        one = socket.create_connection(('10.77.0.2', 7), timeout=20)
        one.sendall(b'hello')
        if one.recv(5) == b'hello':
            held.append(one)
    except ConnectionResetError:
        pass
print('answered', len(held))
'''


def test_echo_has_so_many_connections(echoes):
    for _ in range(2):  # their places are free again
        assert 'answered 1024' in echoes.run('kernel',
                                             shlex.join(['/usr/bin/python3', '-c', MANY]))

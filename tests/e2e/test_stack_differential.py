# SPDX-License-Identifier: MIT
"""The same calls, made to the kernel's echo service and to weft's, have the same outcome.

    [ peer: the kernel .2, ::2 ] --- cable --- [ kernel: the script ] --- tap0 --- [ weft echo .2, ::2 ]
                       10.78.0.0/24                             10.77.0.0/24

A script of calls runs on the kernel's sockets against one and then the other. What each call
returned, the bytes that came, the errors, and what the two sides have agreed on are compared.
"""
import json
import shlex

import netlab
import party as p
import pytest

# An echo service of the kernel's with the manners of weft echo: urgent bytes are data.
SERVER = '''
import socket, threading
def stream(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    try:
        while data := one.recv(65536):
            one.sendall(data)
    except OSError:
        pass
    one.close()
def streams(family):
    with socket.create_server(('', 7), family=family, backlog=128) as server:
        while True:
            threading.Thread(target=stream, args=(server.accept()[0],), daemon=True).start()
def datagrams(family):
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(('', 7))
        while True:
            data, peer = one.recvfrom(65536)
            one.sendto(data, peer)
for what in streams, datagrams:
    for family in socket.AF_INET, socket.AF_INET6:
        threading.Thread(target=what, args=(family,)).start()
print('listening', flush=True)
'''

# Each function is a script of calls; what it returns is the outcome.
CLIENT = '''
import errno, hashlib, json, random, socket, struct, sys, threading, time
HOST = sys.argv[1]
FAMILY = socket.AF_INET6 if ':' in HOST else socket.AF_INET
STATES = {1: 'ESTABLISHED', 4: 'FIN-WAIT-1', 5: 'FIN-WAIT-2', 6: 'TIME-WAIT', 7: 'CLOSED'}

def data_of(length):
    return random.Random(length).randbytes(length)

def opened(*options, port=7):
    one = socket.socket(FAMILY, socket.SOCK_STREAM)
    one.settimeout(60)
    for option in options:
        one.setsockopt(*option)
    one.connect((HOST, port))
    return one

def read_all(one):
    return b''.join(iter(lambda: one.recv(65536), b''))

def echo(one, data):
    writer = threading.Thread(target=lambda: (one.sendall(data), one.shutdown(socket.SHUT_WR)))
    writer.start()
    got = read_all(one)
    writer.join()
    return [len(got), got == data]

def info(one):
    raw = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    options = raw[5]
    return {'state': STATES.get(raw[0], raw[0]), 'timestamps': options & 1, 'sack': options >> 1 & 1,
            'scaling': options >> 2 & 1, 'ecn': options >> 3 & 1,
            'mss': struct.unpack_from('@I', raw, 16)[0]}

def lengths():
    return [echo(opened(), data_of(length)) for length in (0, 1, 1447, 1448, 1449, 65536, 1000003)]

def single_bytes():
    one = opened((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))
    got = b''
    for i in range(200):
        one.send(bytes([i]))
        got += one.recv(1)
    return got.hex()

def half_close():
    one = opened()
    one.shutdown(socket.SHUT_WR)
    return one.recv(10).hex()

def what_is_agreed():
    one = opened()
    one.sendall(b'x')
    one.recv(1)
    return info(one)

def without(name, value):
    """With a sysctl of this namespace set to a value, and back."""
    path = f'/proc/sys/net/ipv4/{name}'
    with open(path) as file:
        before = file.read()
    try:
        with open(path, 'w') as file:
            file.write(value)
        return what_is_agreed()
    finally:
        with open(path, 'w') as file:
            file.write(before)

def options_one_by_one():
    return [without(name, value) for name, value in (('tcp_timestamps', '0'), ('tcp_sack', '0'),
            ('tcp_window_scaling', '0'), ('tcp_ecn', '1'))]

def small_segments():
    one = opened((socket.IPPROTO_TCP, socket.TCP_MAXSEG, 600))
    return [info(one)['mss'], echo(one, data_of(20000))]

def small_window_read_slowly():
    one = opened((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096))
    data, got = data_of(60000), b''
    threading.Thread(target=lambda: (one.sendall(data), one.shutdown(socket.SHUT_WR))).start()
    time.sleep(0.3)
    while more := one.recv(3000):
        got += more
    return got == data

def urgent():
    one = opened((socket.SOL_SOCKET, socket.SO_OOBINLINE, 1))
    one.send(b'before')
    one.send(b'!', socket.MSG_OOB)
    one.send(b'after')
    one.shutdown(socket.SHUT_WR)
    return read_all(one).decode()

def fast_open():
    one = socket.socket(FAMILY, socket.SOCK_STREAM)
    one.settimeout(60)
    sent = one.sendto(b'hello', socket.MSG_FASTOPEN, (HOST, 7))
    one.shutdown(socket.SHUT_WR)
    return [sent, read_all(one).decode()]

def states():
    one = opened()
    seen = [info(one)['state']]
    one.shutdown(socket.SHUT_WR)
    one.recv(1)
    end = time.monotonic() + 60
    while info(one)['state'] in ('FIN-WAIT-1', 'FIN-WAIT-2') and time.monotonic() < end:
        time.sleep(0.01)
    return seen + [info(one)['state']]

def reset_by_us():
    one = opened()
    one.sendall(data_of(5000))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    one.close()
    return echo(opened(), b'still there')

def closed_unread():
    one = opened()
    one.sendall(data_of(100000))
    one.recv(1)
    one.close()
    return echo(opened(), b'still there')

def same_port_again():
    """TIME-WAIT is on our side, and a new SYN from it is a later one."""
    port, outcome = 0, []
    for _ in range(2):
        one = socket.socket(FAMILY, socket.SOCK_STREAM)
        one.settimeout(60)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(('', port))
        port = one.getsockname()[1]
        one.connect((HOST, 7))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        one.sendall(b'x')
        outcome.append(one.recv(1).decode())
        one.close()
    return outcome

def refused():
    return opened(port=9)

def many():
    opens = [opened() for _ in range(60)]
    for i, one in enumerate(opens):
        one.sendall(bytes([i]) * 3000)
        one.shutdown(socket.SHUT_WR)
    return [read_all(one) == bytes([i]) * 3000 for i, one in enumerate(opens)].count(True)

def one_after_the_other():
    return [echo(opened(), b'%d' % i) for i in range(100)]

def datagrams():
    outcome = []
    with socket.socket(FAMILY, socket.SOCK_DGRAM) as one:
        one.settimeout(60)
        for length in (0, 1, 1452, 1472, 1473, 20000, 65000):
            one.sendto(data_of(length), (HOST, 7))
            got, peer = one.recvfrom(65536)
            outcome.append([len(got), got == data_of(length), peer[:2] == (HOST, 7)])
    return outcome

def nobody_there():
    with socket.socket(FAMILY, socket.SOCK_DGRAM) as one:
        one.settimeout(60)
        one.connect((HOST, 9))
        one.send(b'x')
        return one.recv(1)

def run(name):
    try:
        return globals()[name]()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))

print(json.dumps({name: run(name) for name in sys.argv[2:]}))
'''
SCRIPTS = ['lengths', 'single_bytes', 'half_close', 'what_is_agreed', 'options_one_by_one',
           'small_segments', 'small_window_read_slowly', 'urgent', 'fast_open', 'states', 'reset_by_us',
           'closed_unread', 'same_port_again', 'refused', 'many', 'one_after_the_other', 'datagrams',
           'nobody_there']
# What an outcome must be, so that two failures are not taken for agreement.
KNOWN = {'half_close': '', 'urgent': 'before!after', 'refused': 'ECONNREFUSED', 'many': 60,
         'nobody_there': 'ECONNREFUSED', 'states': ['ESTABLISHED', 'CLOSED'],
         'reset_by_us': [11, True], 'closed_unread': [11, True], 'small_window_read_slowly': True,
         'same_port_again': ['x', 'x'],
         'lengths': [[n, True] for n in (0, 1, 1447, 1448, 1449, 65536, 1000003)],
         'datagrams': [[n, True, True] for n in (0, 1, 1452, 1472, 1473, 20000, 65000)]}


@pytest.fixture(scope='module')
def lab():
    lab = netlab.Lab()
    try:
        lab.host('kernel')
        lab.host('peer')
        lab.cable('kernel', 'peer', '10.78.0.1/24', '10.78.0.2/24', name_a='cable', name_b='cable')
        lab.run('kernel', 'ip tuntap add dev tap0 mode tap vnet_hdr')
        lab.run('kernel', 'ip address add 10.77.0.1/24 dev tap0')
        for host, device, address in (('kernel', 'tap0', '77::1'), ('kernel', 'cable', '78::1'),
                                      ('peer', 'cable', '78::2')):
            lab.run(host, f'ip address add 2001:db8:{address}/64 dev {device} nodad')
        lab.run('kernel', 'ip link set tap0 up')
        lab.start('peer', shlex.join(['/usr/bin/python3', '-c', SERVER])).wait_for('listening')
        weft = p.Weft(lab, 'kernel', f'{p.WEFT} echo --json --link tap:tap0 '
                      '--address 10.77.0.2/24 --address 2001:db8:77::2/64')
        lab.processes.append(weft)
        weft.wait_event('ready')
        for host in '10.77.0.2', '2001:db8:77::2', '10.78.0.2', '2001:db8:78::2':
            lab.until(lambda host=host: 'bytes from' in lab.run('kernel', f'ping -c1 -W1 {host}', False))
        yield lab
        assert weft.stop() == 0
    finally:
        lab.close()


@pytest.mark.parametrize('family', ['IPv4', 'IPv6'])
def test_outcomes_are_the_kernel_s(lab, family):
    hosts = {'IPv4': ('10.78.0.2', '10.77.0.2'), 'IPv6': ('2001:db8:78::2', '2001:db8:77::2')}[family]
    kernel, weft = (json.loads(lab.run('kernel', shlex.join(
        ['/usr/bin/python3', '-c', CLIENT, host, *SCRIPTS]), seconds=300)) for host in hosts)
    assert weft == kernel
    assert {name: kernel[name] for name in KNOWN} == KNOWN

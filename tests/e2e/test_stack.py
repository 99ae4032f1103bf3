# SPDX-License-Identifier: MIT
"""A host of weft's own against the kernel's: ping, UDP and TCP, both families, over a TAP, a TUN
and a NIC.

    [ kernel 10.77.0.1/24, 2001:db8:77::1/64 ] --- tap0 --- [ weft echo .2, ::2 ]
"""
import json
import re
import shlex

import netlab
import party as p
import pytest

ADDRESSES = {'IPv4': '10.77.0.2', 'IPv6': '2001:db8:77::2'}

CLIENT = '''
import os, socket, sys, threading
host = sys.argv[1]
family = socket.AF_INET6 if ':' in host else socket.AF_INET

def udp(length):
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.settimeout(60)
        one.connect((host, 7))
        data = os.urandom(length)
        one.send(data)
        assert one.recv(65536) == data, length

def nobody():
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.settimeout(60)
        one.connect((host, 9))
        one.send(b'is anybody there?')
        try:
            one.recv(1)
        except ConnectionRefusedError:
            return
        raise AssertionError('no error came')

def tcp(length):
    with socket.create_connection((host, 7), timeout=60) as one:
        data = os.urandom(length)
        def write():
            one.sendall(data)
            one.shutdown(socket.SHUT_WR)
        writer = threading.Thread(target=write)
        writer.start()
        got = bytearray()
        while more := one.recv(65536):
            got += more
        writer.join()
        assert got == data, (length, len(got))

what, lengths = sys.argv[2], [int(one) for one in sys.argv[3:]]
for length in lengths:
    globals()[what](length)
if not lengths:
    globals()[what]()
'''


@pytest.fixture(scope='module', params=['vnet_hdr', ''], ids=['offload', 'plain'])
def kernel(request):
    """The kernel's side, and a host of weft's on the other. The TAP with and without offload."""
    lab = netlab.Lab()
    try:
        lab.host('kernel')
        lab.run('kernel', f'ip tuntap add dev tap0 mode tap {request.param}')
        for address in ('10.77.0.1/24', '2001:db8:77::1/64'):
            lab.run('kernel', f'ip address add {address} dev tap0')
        lab.run('kernel', 'ip link set tap0 up')
        plain = '' if request.param else ',offload=off'
        process = p.Weft(lab, 'kernel', f'{p.WEFT} echo --json --link tap:tap0{plain} '
                         '--address 10.77.0.2/24 --address 2001:db8:77::2/64')
        lab.processes.append(process)
        process.wait_event('ready')
        # IPv6 is asked for first; what waits for the answer is sent then.
        lab.until(lambda: 'bytes from' in lab.run('kernel', 'ping -c1 -W1 2001:db8:77::2', False))
        lab.weft = process
        yield lab
        assert process.stop() == 0
    finally:
        lab.close()


def client(lab, host, what, *lengths, on='kernel'):
    lab.run(on, shlex.join(['/usr/bin/python3', '-c', CLIENT, host, what,
                                  *map(str, lengths)]))


@pytest.mark.parametrize('family', ADDRESSES)
@pytest.mark.parametrize('size', [0, 56, 1472, 1473, 8000, 65000])
def test_ping(kernel, family, size):
    """Whole and in fragments, to which the answer is one in fragments."""
    assert kernel.unanswered('kernel', ADDRESSES[family], 3, f'-i 0.01 -s {size}') == []


def test_no_answer_to_all(kernel):
    said = kernel.run('kernel', 'ping -c2 -i0.1 -W0.3 -b 10.77.0.255', check=False)
    assert ' 0 received' in said


@pytest.mark.parametrize('family', ADDRESSES)
def test_udp(kernel, family):
    client(kernel, ADDRESSES[family], 'udp', 0, 1, 1000, 1472, 1473, 9000, 60000)


@pytest.mark.parametrize('family', ADDRESSES)
def test_nobody_listens(kernel, family):
    client(kernel, ADDRESSES[family], 'nobody')


@pytest.mark.parametrize('family', ADDRESSES)
def test_tcp(kernel, family):
    client(kernel, ADDRESSES[family], 'tcp', 0, 1, 1460, 100000, 3000000)


def answers_to_everything(lab, on):
    for host in reversed(ADDRESSES.values()):
        for size in 56, 3000:
            lab.until(lambda host=host, size=size:
                      'bytes from' in lab.run(on, f'ping -c1 -W1 -s{size} {host}', False))
            assert lab.unanswered(on, host, 3, f'-i 0.1 -s {size}') == []
        client(lab, host, 'udp', 0, 1472, 9000, on=on)
        client(lab, host, 'nobody', on=on)
        client(lab, host, 'tcp', 0, 1, 1000000, on=on)


def test_tun():
    """Packets without Ethernet: no neighbours, and all the rest."""
    lab = netlab.Lab()
    try:
        lab.host('routed')
        lab.run('routed', 'ip tuntap add dev tun0 mode tun')
        lab.run('routed', 'ip address add 10.77.0.1/24 dev tun0')
        lab.run('routed', 'ip address add 2001:db8:77::1/64 dev tun0')
        lab.run('routed', 'ip link set tun0 up')
        process = p.Weft(lab, 'routed', f'{p.WEFT} echo --json --link tun:tun0 '
                         '--address 10.77.0.2/24 --address 2001:db8:77::2/64')
        lab.processes.append(process)
        process.wait_event('ready')
        answers_to_everything(lab, 'routed')
        assert process.stop() == 0
    finally:
        lab.close()


def test_packet():
    """On a NIC of a machine whose kernel has no address there."""
    lab = netlab.Lab()
    try:
        lab.host('cabled')
        lab.host('machine')
        lab.cable('cabled', 'machine', '10.77.0.1/24', '', name_a='eth0', name_b='eth0')
        lab.run('cabled', 'ip address add 2001:db8:77::1/64 dev eth0 nodad')
        process = p.Weft(lab, 'machine', f'{p.WEFT} echo --json --link packet:eth0 '
                         '--address 10.77.0.2/24 --address 2001:db8:77::2/64')
        lab.processes.append(process)
        process.wait_event('ready')
        answers_to_everything(lab, 'cabled')
        assert process.stop() == 0
        assert 'PROMISC' not in lab.run('machine', 'ip link show eth0')
    finally:
        lab.close()


def test_the_device_goes():
    """A program ends when its link does, and says why."""
    lab = netlab.Lab()
    try:
        lab.host('short')
        lab.run('short', 'ip tuntap add dev tap0 mode tap')
        lab.run('short', 'ip link set tap0 up')
        process = p.Weft(lab, 'short', f'{p.WEFT} echo --link tap:tap0 --address 10.77.0.2/24')
        lab.processes.append(process)
        process.wait_for('answers at port 7')
        lab.run('short', 'ip link delete tap0')
        assert process.popen.wait(netlab.PATIENCE) != 0
        assert process.output().splitlines()[-1] == 'weft echo: the device is gone'
    finally:
        lab.close()


def test_dhcp():
    """An address, and the way to another network, from a server on the kernel's side."""
    lab = netlab.Lab()
    try:
        lab.host('server')
        lab.run('server', 'ip tuntap add dev tap0 mode tap')
        lab.run('server', 'ip address add 10.77.0.1/24 dev tap0')
        lab.run('server', 'ip address add 10.78.0.1/32 dev lo')
        lab.run('server', 'ip link set tap0 up')
        process = p.Weft(lab, 'server', f'{p.WEFT} echo --json --link tap:tap0 --address dhcp')
        lab.processes.append(process)
        process.wait_event('ready')
        server = lab.start('server', 'dnsmasq --no-daemon --conf-file=/dev/null --port=0 '
                           '--user=root --group=root --interface=tap0 --bind-interfaces '
                           '--dhcp-range=10.77.0.100,10.77.0.199,1h --dhcp-authoritative '
                           '--dhcp-leasefile=/run/stack-leases --dhcp-option=3,10.77.0.1 --no-ping')
        server.wait_for('DHCP, IP range')
        address = process.wait_event('address')['address']
        assert re.fullmatch(r'10\.77\.0\.1\d\d/24', address)
        host = address.split('/')[0]
        # From an address behind the router.
        assert lab.unanswered('server', host, 3, '-i 0.01 -I 10.78.0.1') == []
        client(lab, host, 'tcp', 100000, on='server')
        assert process.stop() == 0
        server.wait_for('DHCPRELEASE')
    finally:
        lab.close()


@pytest.fixture
def street():
    """[ weft first ] --- [ switch, kernel .1 and ::1 ] --- [ weft second ]"""
    lab = netlab.Lab()
    try:
        for host in 'street', 'first', 'second':
            lab.host(host)
        lab.switch('street')
        for address in '10.77.0.1/24', '2001:db8:77::1/64':
            lab.run('street', f'ip address add {address} dev br0')
        for host in 'first', 'second':
            lab.cable('street', host, '@br0', name_b='eth0')
        yield lab
    finally:
        lab.close()


def echo(lab, host, address):
    process = p.Weft(lab, host, f'{p.WEFT} echo --json --trace --link packet:eth0 '
                     f'--address {address}')
    lab.processes.append(process)
    process.wait_event('ready')
    return process


@pytest.mark.parametrize('address', ['10.77.0.2/24', '2001:db8:77::2/64'])
def test_an_address_that_another_host_has(street, address):
    """Who comes later ends and says why; who was first keeps it."""
    host = address.split('/')[0]
    first = echo(street, 'first', address)
    street.until(lambda: 'bytes from' in street.run('street', f'ping -c1 -W1 {host}', False))
    second = echo(street, 'second', address)
    assert second.popen.wait(netlab.PATIENCE) == 1
    assert f"weft echo: {host} is another host's" in second.output()
    assert street.unanswered('street', host, 3) == []
    assert first.stop() == 0


@pytest.mark.parametrize('address', ['10.77.0.1/24', '2001:db8:77::1/64'])
def test_an_address_that_the_kernel_of_another_has(street, address):
    """Linux answers probes, and says nothing to announcements."""
    late = echo(street, 'second', address)
    assert late.popen.wait(netlab.PATIENCE) == 1
    assert f"weft echo: {address.split('/')[0]} is another host's" in late.output()


def test_an_address_that_another_host_takes_later(street):
    """It is told, and kept: the other came later."""
    first = echo(street, 'first', '10.77.0.2/24')
    first.wait_for(r'arp_output: .*10\.77\.0\.2 > 10\.77\.0\.2')  # nobody has answered
    street.run('second', 'ip address add 10.77.0.2/24 dev eth0')
    mac = json.loads(street.run('second', 'ip -j link show eth0'))[0]['address']
    street.run('second', 'ping -c1 -W1 10.77.0.1', check=False)
    first.wait_event('conflict', address='10.77.0.2/24', mac=mac)
    assert first.stop() == 0

# SPDX-License-Identifier: MIT
"""Multicast groups of a stack behind a switch that sends groups only to those who report them.

    [ sender 10.77.0.1, 2001:db8:77::1 ] --- veth --- [ br0: IGMP and MLD snooping, querier ]
                                                        |
                               [ weft nc .2, ::2 ] --- tap0
"""
import contextlib
import json
import shlex
import time

import netlab
import party as p
import pytest

ON = '--link tap:tap0 --address 10.77.0.2/24 --address 2001:db8:77::2/64'
GROUP = {'IPv4': '239.7.7.7', 'IPv6': 'ff15::77'}
OTHER = {'IPv4': '239.7.7.8', 'IPv6': 'ff15::78'}
MEMBERSHIP_S = 3

# Sends the time to a group, so often or until it is ended.
SENDER = '''
import itertools, socket, sys, time
group, count = sys.argv[1:]
family = socket.AF_INET6 if ':' in group else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as sender:
    for _ in range(int(count)) if int(count) else itertools.count():
        sender.sendto(b'%f\\n' % time.monotonic(), (group, 5000))
        time.sleep(0.01)
'''

# Joins a group and prints the first datagram.
MEMBER = '''
import socket, struct, sys
group, device = sys.argv[1], socket.if_nametoindex('eth0')
family = socket.AF_INET6 if ':' in group else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as member:
    member.bind((group, 5000))
    if ':' in group:
        member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                          struct.pack('=16sI', socket.inet_pton(family, group), device))
    else:
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                          struct.pack('=4s4si', socket.inet_aton(group), bytes(4), device))
    print('joined', flush=True)
    print(member.recvfrom(100), flush=True)
'''


@pytest.fixture(scope='module')
def lab():
    lab = netlab.Lab()
    try:
        lab.host('switch')
        lab.host('sender')
        # Times in hundredths of a second. It snoops once its first queries have had time.
        lab.run('switch', 'ip link add br0 type bridge forward_delay 0 mcast_snooping 1 '
                          'mcast_querier 1 mcast_query_interval 100 '
                          'mcast_query_response_interval 20 mcast_startup_query_interval 50 '
                          f'mcast_membership_interval {MEMBERSHIP_S * 100}')
        lab.run('switch', 'ip link set br0 up')
        lab.run('switch', 'ip tuntap add dev tap0 mode tap vnet_hdr')
        lab.run('switch', 'ip link set tap0 master br0 up')
        lab.cable('switch', 'sender', '@br0', '10.77.0.1/24 2001:db8:77::1/64', name_b='eth0')
        lab.run('sender', 'ip route add 224.0.0.0/4 dev eth0')
        yield lab
    finally:
        lab.close()


@pytest.fixture(params=[(3, 2), (2, 1)], ids=['IGMPv3-MLDv2', 'IGMPv2-MLDv1'])
def querier(request, lab):
    """The switch asks in these versions of IGMP and MLD."""
    igmp, mld = request.param
    lab.run('switch', f'ip link set br0 type bridge mcast_igmp_version {igmp} '
                      f'mcast_mld_version {mld}')
    return request.param


def send(group, count=0):
    return shlex.join(['/usr/bin/python3', '-c', SENDER, group, str(count)])


@contextlib.contextmanager
def listening(lab, group):
    """A program that listens to the group, as the switch knows."""
    nc = lab.start('switch', f'{p.WEFT} nc {ON} -u -l 5000 {group}')
    try:
        lab.until(lambda: is_member(lab, group))
        yield nc
    finally:
        assert nc.stop() == 0


def is_member(lab, group):
    said = lab.run('switch', 'bridge mdb show dev br0')
    return any('port tap0' in line and f'grp {group} ' in line for line in said.splitlines())


def frames_to_tap(lab):
    return json.loads(lab.run('switch', 'ip -json -s link show tap0'))[0]['stats64']['tx']['packets']


@pytest.mark.parametrize('family', GROUP)
def test_a_group_that_is_listened_to(lab, querier, family):
    """What is sent to it comes, also when the switch would have forgotten who does not answer."""
    sender = lab.start('sender', send(GROUP[family]))
    with listening(lab, GROUP[family]) as nc:
        end = time.monotonic() + 3 * MEMBERSHIP_S
        while time.monotonic() < end:
            assert is_member(lab, GROUP[family])
            time.sleep(0.1)
        lab.until(lambda: float(nc.output().splitlines()[-1]) > end)
    sender.stop()


@pytest.mark.parametrize('family', GROUP)
def test_a_group_that_nobody_listens_to(lab, querier, family):
    """The switch holds it back; without that, the test above would say nothing."""
    with listening(lab, OTHER[family]) as nc:
        before = frames_to_tap(lab)
        lab.run('sender', send(GROUP[family], 200))
        lab.run('sender', send(OTHER[family], 1))
        nc.wait_for(r'^\d+\.\d+$')
        assert frames_to_tap(lab) - before < 100


@pytest.mark.parametrize('family', GROUP)
def test_what_is_said_to_a_group(lab, family):
    member = lab.start('sender', shlex.join(['/usr/bin/python3', '-c', MEMBER, GROUP[family]]))
    member.wait_for('joined')
    says = shlex.quote('while sleep 0.2; do echo hello; done | '
                       f'{p.WEFT} nc {ON} -u -l 5000 {GROUP[family]}')
    nc = lab.start('switch', f'timeout {netlab.PATIENCE} sh -c {says}')
    source = {'IPv4': '10.77.0.2', 'IPv6': '2001:db8:77::2'}[family]
    member.wait_for(f"hello.*'{source}', 5000")
    nc.stop()


@pytest.mark.parametrize('arguments', ['-l 5000 239.7.7.7', '-u -l 5000 10.77.0.2',
                                       '-u -l 5000 239.7.7.7/8', '-u -l 5000 fe80::1 5000'])
def test_what_is_no_group(lab, arguments):
    said = lab.run('switch', f'{p.WEFT} nc {ON} {arguments}', check=False)
    assert 'weft nc: ' in said and '--listen' in said, said

# SPDX-License-Identifier: MIT
"""Names for the programs on a stack, by dnsmasq: as DHCP names it, and as the command line does.

    [ dnsmasq 10.78.0.1/24 ] --- tap0 --- [ weft ping, nc by DHCP or .2 ]
"""
import shlex
import subprocess

import netlab
import party as p
import pytest

ON = '--link tap:tap0 --address 10.78.0.2/24'


@pytest.fixture(scope='module')
def lab():
    lab = netlab.Lab()
    try:
        lab.host('kernel')
        lab.run('kernel', 'ip tuntap add dev tap0 mode tap vnet_hdr')
        lab.run('kernel', 'ip address add 10.78.0.1/24 dev tap0')
        lab.run('kernel', 'ip link set tap0 up')
        server = lab.start('kernel', 'dnsmasq --no-daemon --conf-file=/dev/null --user=root '
                           '--group=root --interface=tap0 --bind-interfaces --no-resolv '
                           '--no-hosts --no-ping --dhcp-range=10.78.0.100,10.78.0.199,1h '
                           '--dhcp-authoritative --dhcp-leasefile=/run/leases-names '
                           '--domain=lan.example --local=/lan.example/ '
                           '--host-record=nas.lan.example,10.78.0.1 '
                           '--cname=files.lan.example,nas.lan.example '
                           '--address=/many.example/10.78.0.1')
        server.wait_for('DHCP, IP range')
        yield lab
    finally:
        lab.close()


def weft(lab, arguments, stdin=b''):
    done = subprocess.run(lab.enter_host('kernel') + [p.WEFT] + shlex.split(arguments),
                          input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60)
    return done.returncode, done.stdout


@pytest.mark.parametrize('name', ['nas', 'FILES.lan.example', 'any.many.example'])
def test_ping_by_name(lab, name):
    """In the lease's domain, by an alias, and whole."""
    status, said = weft(lab, f'ping --link tap:tap0 --address dhcp -c2 -i10ms -W60s {name}')
    assert status == 0 and b'PING 10.78.0.1:' in said, said
    assert f'--- {name} ping statistics'.encode() in said


def test_nc_by_name(lab):
    server = lab.start('kernel', 'nc -l -N 10.78.0.1 9000')
    def listens():
        """nc to listen"""
        return ':9000' in lab.run('kernel', 'ss -Hltn')
    lab.until(listens)
    status, said = weft(lab, f'nc {ON} --dns 10.78.0.1 nas.lan.example 9000', b'by name\n')
    assert status == 0, said
    server.wait_for('by name')


@pytest.mark.parametrize('options, name, text', [
    ('--dns 10.78.0.1', 'nobody.lan.example', b'there is no host of that name'),
    ('', 'nas.lan.example', b'a name needs a name server'),
    ('--dns 10.78.0.1', 'no..name', b'neither an address nor a name'),
    ('--dns nas', 'nas', b'the address of a name server is needed')])
def test_what_is_wrong_with_a_name(lab, options, name, text):
    status, said = weft(lab, f'ping {ON} {options} -c1 {name}')
    assert status != 0 and text in said, said

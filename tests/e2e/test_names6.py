# SPDX-License-Identifier: MIT
"""Names over IPv6 alone, as a router and a DHCPv6 server tell of them: dnsmasq is both.

    [ another name server, fd00:79::2 ] --- [ dnsmasq fd00:78::1/64 ] --- tap0 --- [ weft ... ]

The two name servers disagree about nas.lan.example, so what it is found to be says who was asked.
No address and no gateway is given by hand, and there is no IPv4.
"""
import pathlib
import subprocess

import netlab
import party as p
import pytest

DNSMASQ = ('dnsmasq --no-daemon --conf-file=/dev/null --user=root --group=root --bind-interfaces '
           '--no-resolv --no-hosts --local=/lan.example/ ')
ROUTER = ('--interface=tap0 --except-interface=lo --host-record=nas.lan.example,fd00:78::1 --enable-ra '
          '--log-dhcp --dhcp-leasefile=/run/leases-names6 ')
OTHER = '--listen-address=fd00:79::2 --host-record=nas.lan.example,fd00:79::2'
SEARCH = '--dhcp-option=option6:domain-search,lan.example '


@pytest.fixture
def lab():
    lab = netlab.Lab()
    try:
        lab.host('kernel')
        lab.run('kernel', 'sysctl -qw net.ipv6.conf.all.forwarding=1')
        lab.run('kernel', 'ip tuntap add dev tap0 mode tap vnet_hdr')
        lab.run('kernel', 'ip address add fd00:78::1/64 dev tap0 nodad')
        lab.run('kernel', 'ip address add fd00:79::2/128 dev lo')
        lab.run('kernel', 'ip link set tap0 up')
        yield lab
    finally:
        lab.close()


def begin(lab, options):
    """Both name servers; options say what the first one tells of them."""
    lab.start('kernel', DNSMASQ + OTHER).wait_for('started')
    router = lab.start('kernel', DNSMASQ + ROUTER + options)
    router.wait_for('router advertisement')
    return router


def weft(lab, arguments, stdin=b''):
    done = subprocess.run(lab.enter_host('kernel') + [p.WEFT] + arguments.split(), input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return done.returncode, done.stdout


def test_ping_by_what_a_router_says(lab):
    """RFC 8106: address, route, server and domain all come in one advertisement."""
    router = begin(lab, '--dhcp-range=fd00:78::,ra-only,64 ' + SEARCH +
                   '--dhcp-option=option6:dns-server,[fd00:79::2]')
    status, said = weft(lab, 'ping --link tap:tap0 -c2 -i10ms nas')
    assert status == 0 and b'PING fd00:79::2:' in said, said
    assert b'the address is fd00:78:' in said
    assert 'DHCPINFORMATION-REQUEST' not in router.output()


def test_ping_by_what_dhcp_says(lab):
    """RFC 8415: the router says that there is a DHCPv6 server, whose word counts for more."""
    router = begin(lab, '--dhcp-range=fd00:78::,ra-stateless,64 ' + SEARCH +
                   '--dhcp-option=option6:dns-server,[fd00:79::2] '
                   '--dhcp-option=tag:dhcpv6,option6:dns-server,[fd00:78::1]')
    # It does not wait for that word for ever.
    lab.until(lambda: b'PING fd00:78::1:' in weft(lab, 'ping --link tap:tap0 -c2 -i10ms nas')[1])
    router.says('DHCPINFORMATION-REQUEST')


def test_nc_by_name(lab):
    begin(lab, '--dhcp-range=fd00:78::,ra-stateless,64 ' + SEARCH +
          '--dhcp-option=option6:dns-server,[fd00:78::1]')
    listener = lab.start('kernel', 'nc -6 -l -N fd00:78::1 9000')
    def listens():
        """nc to listen"""
        return ':9000' in lab.run('kernel', 'ss -Hltn')
    lab.until(listens)
    status, said = weft(lab, 'nc --link tap:tap0 nas 9000', b'by name\n')
    assert status == 0, said
    listener.wait_for('by name')


def test_what_is_given_by_hand_wins(lab):
    begin(lab, '--dhcp-range=fd00:78::,ra-stateless,64 ' + SEARCH +
          '--dhcp-option=option6:dns-server,[fd00:78::1]')
    status, said = weft(lab, 'ping --link tap:tap0 --dns fd00:79::2 -c2 -i10ms nas.lan.example')
    assert status == 0 and b'PING fd00:79::2:' in said, said


def test_http_where_a_router_says(lab, tmp_path):
    """A server tells what its address is, once it has one."""
    begin(lab, '--dhcp-range=fd00:78::,ra-only,64')
    (tmp_path / 'index.html').write_text('<p>here</p>')
    for path in (tmp_path, *tmp_path.parents):
        if path != pathlib.Path('/tmp') and str(path).startswith('/tmp/'):
            path.chmod(0o755)
    site = lab.start('kernel', f'{p.WEFT} http --link tap:tap0 {tmp_path}')
    address = site.wait_for(r'the address is (fd00:78:[0-9a-f:]+)')[1]
    assert lab.run('kernel', f'curl -sSg --max-time 60 http://[{address}]/') == '<p>here</p>'


def test_nobody_tells(lab):
    """Without a router it gives up, and says what is needed."""
    status, said = weft(lab, 'ping --link tap:tap0 -c1 nas')
    assert status != 0 and b'a name needs a name server' in said, said

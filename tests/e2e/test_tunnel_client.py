# SPDX-License-Identifier: MIT
"""weft tunnel: what a client is assigned, and the ways that it takes to its server.

    lan 192.168.7.1 -- hub ---- 192.0.2.0/30, fd01::/64 ---- site -- proxy on port 3128
                       tun0 10.0.0.1/24, fd00::1/64          tun1 10.0.0.2, fd00::2
"""
import json
import pathlib
import signal

import pytest

import netlab
import party as p
from tunnels import (CLIENT, HASHES, HTTPS, SERVER, both, certificate, connections_to, facts_at_end,
                     iperf, lab, ping, secure, tunnel)

SIX = {**SERVER, 'net6': 'fd00::1/64',
       'clients': [{'token': HASHES['test'], 'ips': ['10.0.0.2', '10.0.0.22', 'fd00::2']}]}


def pushing(*routes, **more):
    return {**SERVER, 'push': list(routes), **more}


def connect(lab, conf, **client):
    hub, site = tunnel(lab, 'hub', conf), tunnel(lab, 'site', {**CLIENT, **client})
    site.wait_event('connected')
    return hub, site


def routes(lab, host='site', family=4):
    return lab.run(host, f'ip -{family} route show')


# ---- what it is assigned -----------------------------------------------------------------


def test_several_addresses_and_ipv6_inside(lab):
    connect(lab, SIX)
    for address in ('10.0.0.2', '10.0.0.22', 'fd00::2'):
        ping(lab, 'hub', address)
    ping(lab, 'site', 'fd00::1')
    shown = lab.run('site', 'ip address show tun1')
    for address in ('10.0.0.2/24', '10.0.0.22/24', 'fd00::2/64'):
        assert f' {address} ' in shown


def test_ipv6_alone_inside(lab):
    server = {**SIX, 'clients': [{'token': HASHES['test'], 'ips': ['fd00::2']}]}
    connect(lab, server)
    ping(lab, 'site', 'fd00::1')


def test_ipv6_outside(lab):
    lab.run('hub', 'ip address add fd01::1/64 dev eth-site')
    lab.run('site', 'ip address add fd01::2/64 dev eth-hub')
    server, _ = connect(lab, {**SERVER, 'listen': 'fd01::1'}, server='http://[fd01::1]:8080/',
                        family='ipv6')
    server.wait_event('connected', address='fd01::2')
    ping(lab, 'site', '10.0.0.1')


def test_the_mark_is_for_ipv6_as_well(lab):
    server, _ = connect(lab, {**SIX, 'mark': {'value': 77, 'table': 7700}})
    assert 'fwmark 0x4d lookup 7700' in lab.run('hub', 'ip -6 rule list')
    assert 'default dev tun0' in lab.run('hub', 'ip -6 route show table 7700')
    assert server.stop() == 0
    assert 'fwmark' not in lab.run('hub', 'ip -6 rule list') + lab.run('hub', 'ip rule list')


def test_pushed_routes_come_and_go(lab):
    lab.run('hub', 'ip address add 192.168.7.1/32 dev lo')
    client = {**SERVER['clients'][0], 'push': ['192.168.8.0/24'], 'routes': ['10.77.0.0/16']}
    _, site = connect(lab, pushing('192.168.7.0/24', '10.77.1.0/24', clients=[client]))
    assert '192.168.7.0/24 dev tun1' in routes(lab) and '192.168.8.0/24 dev tun1' in routes(lab)
    assert '10.77.1.0/24' not in routes(lab)  # that is its own
    ping(lab, 'site', '192.168.7.1')
    assert site.stop() == 0
    assert 'tun1' not in routes(lab)


def test_more_routes_than_a_header_holds(lab):
    many = [f'172.{16 + n // 256}.{n % 256}.0/24' for n in range(0, 600, 2)]
    connect(lab, pushing(*many))
    lab.until(lambda: routes(lab).count('dev tun1 proto static') >= len(many))
    assert many[0] in routes(lab) and many[-1] in routes(lab)


def test_a_client_that_takes_no_routes(lab):
    connect(lab, pushing('192.168.7.0/24'), accept_routes=False)
    assert '192.168.7.0' not in routes(lab)


def test_a_client_that_takes_some_routes(lab):
    connect(lab, pushing('192.168.7.0/24', '172.16.0.0/12'), accept_routes=['192.168.0.0/16'])
    assert '192.168.7.0/24' in routes(lab) and '172.16.0.0' not in routes(lab)


def test_what_holds_the_server_is_not_taken_unasked(lab):
    connect(lab, pushing('0.0.0.0/0', '192.0.2.0/24', '192.168.7.0/24'))
    lab.until(lambda: '192.168.7.0/24' in routes(lab))
    assert 'dev tun1' not in lab.run('site', 'ip route get 192.0.2.1')
    assert '128.0.0.0/1' not in routes(lab) and '192.0.2.0/24 dev tun1' not in routes(lab)


def test_everything_goes_through_the_tunnel(lab):
    """The way to the server is pinned, also while another default route is there."""
    lab.run('hub', 'ip address add 203.0.113.9/32 dev lo')
    lab.run('site', 'ip route add default via 192.0.2.1')
    before = routes(lab)
    _, site = connect(lab, pushing('0.0.0.0/0'), accept_routes=['0.0.0.0/0'])
    assert 'dev tun1' in lab.run('site', 'ip route get 203.0.113.9')
    assert 'dev eth-hub' in lab.run('site', 'ip route get 192.0.2.1')
    ping(lab, 'site', '203.0.113.9')
    assert site.stop() == 0
    assert routes(lab) == before


@pytest.mark.parametrize('streams', [1, 4])
def test_an_ordinary_end_is_no_accident(lab, streams):
    server, site = both(lab, SERVER, {**CLIENT, 'streams': streams})
    assert site.stop() == 0
    assert server.wait_event('disconnected')['reason'] == 'it has ended'
    assert 'connected for' not in server.output()
    again = tunnel(lab, 'site', CLIENT)
    server.wait_event('connected', number=2)
    again.stop(signal.SIGKILL)
    assert server.wait_event('disconnected', number=2)['reason'] != 'it has ended'


def test_the_way_back_is_free_while_the_server_is_away(lab):
    lab.run('site', 'ip route add default via 192.0.2.1')
    before = routes(lab)
    hub, site = connect(lab, pushing('0.0.0.0/0'), accept_routes=['0.0.0.0/0'])
    hub.stop()
    lab.until(lambda: 'via 192.0.2.1' in lab.run('site', 'ip route get 203.0.113.9'), 30)
    tunnel(lab, 'hub', pushing('0.0.0.0/0'))
    site.wait_event('connected', number=2)
    lab.until(lambda: 'dev tun1' in lab.run('site', 'ip route get 203.0.113.9'))
    assert site.stop() == 0
    assert routes(lab) == before


# ---- lanes -------------------------------------------------------------------------------


def test_flows_are_spread_over_several_streams(lab):
    hub, site = connect(lab, SERVER, streams=4)
    lab.until(lambda: len(connections_to(lab, 8080)) == 8)
    assert netlab.is_ever_over(1e6, lambda: iperf(lab))
    peer = facts_at_end(hub)['peers'][0]
    assert peer['lanes'] == 4 and peer['rx_bad'] == peer['broken'] == 0
    assert len(hub.events('connected')) == 1


def test_a_cut_stream_takes_no_other_along(lab):
    hub, site = connect(lab, SERVER, streams=4)
    lab.until(lambda: len(connections_to(lab, 8080)) == 8)

    def cut_two():
        running = lab.start('site', 'ping -i 0.05 -c 100 10.0.0.1')
        for port in connections_to(lab, 8080)[:2]:
            lab.run('site', f'ss -K sport = {port}')
        running.wait_for('packets transmitted')
        lab.until(lambda: len(connections_to(lab, 8080)) == 8)
        return int(running.wait_for(r'(\d+) received')[1])
    assert netlab.is_ever_over(94, cut_two)
    assert hub.events('disconnected') == site.events('disconnected') == []


# ---- the way to the server ---------------------------------------------------------------


@pytest.mark.parametrize('family, address', [
    ('ipv4', '127.0.0.1'), ('ipv6', '::1'), ('prefer-ipv4', '127.0.0.1'), ('prefer-ipv6', '::1')])
def test_a_name_with_addresses_of_both_families(lab, family, address):
    server = tunnel(lab, None, SERVER)
    tunnel(lab, None, {**CLIENT, 'server': 'http://localhost:8080/', 'family': family})
    server.wait_event('connected', name='10.0.0.2', address=address)


@pytest.fixture
def hosts(lab):
    """What hub.example is: a name of the hub's by IPv6, and by IPv4 one of nobody."""
    path = pathlib.Path(f'{lab.directory}/hosts')
    path.write_text('198.51.100.1 hub.example\nfd01::1 hub.example\n')
    lab.run(None, f'mount --bind {path} /etc/hosts')
    yield
    lab.run(None, 'umount /etc/hosts')


def test_a_preferred_family_that_leads_nowhere(lab, hosts):
    """It is left alone once the other one has led there. A cable counts how often it was tried."""
    def tried():
        said = lab.run('site', 'ip -s -j link show eth-nobody')
        return json.loads(said)[0]['stats64']['tx']['packets']
    lab.run('hub', 'ip address add fd01::1/64 dev eth-site')
    lab.run('site', 'ip address add fd01::2/64 dev eth-hub')
    lab.host('nobody')
    lab.cable('site', 'nobody', '198.51.100.2/30')
    lab.run('site', 'sysctl -qw net.ipv6.conf.eth-nobody.disable_ipv6=1')
    lab.run('site', 'ip neighbour add 198.51.100.1 lladdr 02:00:00:00:00:01 dev eth-nobody')
    unused = tried()
    server, site = connect(lab, SERVER, server='http://hub.example:8080/', family='prefer-ipv4')
    server.wait_event('connected', address='fd01::2')
    ping(lab, 'site', '10.0.0.1')  # by the upload, which has begun beside the download
    before = tried()
    assert before > unused
    assert server.stop() == 0
    tunnel(lab, 'hub', SERVER)
    site.wait_event('connected', number=2)
    assert tried() == before


@pytest.mark.parametrize('scheme', ['http', 'HTTP', 'socks4', 'socks4a', 'socks5', 'socks5h'])
def test_through_a_proxy(lab, scheme):
    proxy = lab.start('site', f'/usr/bin/python3 {p.ROOT}/tools/forwarder.py 3128')
    proxy.wait_for('ready')
    connect(lab, SERVER, proxy=f'{scheme}://127.0.0.1:3128')
    ping(lab, 'site', '10.0.0.1')
    proxy.wait_for({'http': 'PUT', 'socks5h': 'socks5'}.get(scheme.lower(), scheme)
                   + ' 192.0.2.1 8080')


@pytest.mark.parametrize('scheme', ['http', 'socks5'])
def test_through_a_proxy_with_a_password(lab, scheme):
    """It comes from the environment, is needed, and is not shown."""
    proxy = lab.start('site', f'/usr/bin/python3 {p.ROOT}/tools/forwarder.py 3128 me:wort')
    proxy.wait_for('ready')
    tunnel(lab, 'hub', SERVER)

    def client(password):
        site = p.Weft(lab, 'site', f'{p.WEFT} tunnel client {CLIENT["server"]} --json', env={
            'TERM': 'dumb', 'WEFT_TOKEN': 'test',
            'WEFT_PROXY': f'{scheme}://me:{password}@127.0.0.1:3128'})
        lab.processes.append(site)
        return site
    wrong = client('wirt')
    wrong.wait_for('trying again')
    assert wrong.events('connected') == [] and wrong.stop() == 0
    client('wort').wait_event('connected')
    ping(lab, 'site', '10.0.0.1')
    proxy.wait_for('192.0.2.1 8080')
    assert 'wirt' not in wrong.output()


@pytest.mark.parametrize('http2', [False, True], ids=['http1', 'http2'])
def test_tls_of_its_own_and_a_ca(lab, http2):
    """A server of weft speaks HTTP/1.1: who offers HTTP/2 takes that."""
    cert, key, _ = certificate(lab)
    connect(lab, secure(cert, key), server=HTTPS, ca=cert, http2=http2)
    ping(lab, 'site', '10.0.0.1')
    lab.until(lambda: len(connections_to(lab, 8080)) == 2)  # HTTP/2 would need one


def test_a_system_that_believes_nobody(lab):
    """There are no authorities on a minimal one. To curl 8 that is a file which it cannot read."""
    cert, key, _ = certificate(lab)
    tunnel(lab, 'hub', secure(cert, key))
    lab.run(None, 'mount -t tmpfs none /etc/ssl/certs')
    try:
        site = tunnel(lab, 'site', {**CLIENT, 'server': HTTPS})
        site.wait_for('name the CA that signed the certificate, or pin its key')
    finally:
        lab.run(None, 'umount /etc/ssl/certs')


def test_a_certificate_for_another_host_is_refused(lab):
    """Who signed it is believed, but it says 192.0.2.1."""
    lab.run('hub', 'ip address add 198.51.100.1/32 dev lo')
    lab.run('site', 'ip route add 198.51.100.1 via 192.0.2.1')
    cert, key, _ = certificate(lab)
    tunnel(lab, 'hub', secure(cert, key))
    site = tunnel(lab, 'site', {**CLIENT, 'server': 'https://198.51.100.1:8080/', 'ca': cert})
    site.wait_for('certificate.* match.*trying again')
    assert site.events('connected') == []
    assert site.stop() == 0
    tunnel(lab, 'site', {**CLIENT, 'server': HTTPS, 'ca': cert}).wait_event('connected')


def test_tls_of_its_own_and_a_pin(lab):
    cert, key, pin = certificate(lab)
    connect(lab, secure(cert, key), server=HTTPS, pin=pin)
    ping(lab, 'site', '10.0.0.1')


def test_another_key_than_the_pinned_one_is_refused(lab):
    cert, key, _ = certificate(lab)
    tunnel(lab, 'hub', secure(cert, key))
    site = tunnel(lab, 'site', {**CLIENT, 'server': HTTPS, 'pin': '00' * 32})
    site.wait_for('another key than the pinned one')
    assert site.events('connected') == []


def test_tls_through_a_proxy(lab):
    cert, key, _ = certificate(lab)
    proxy = lab.start('site', f'/usr/bin/python3 {p.ROOT}/tools/forwarder.py 3128')
    proxy.wait_for('ready')
    connect(lab, secure(cert, key), server=HTTPS, ca=cert, proxy='http://127.0.0.1:3128')
    proxy.wait_for('CONNECT 192.0.2.1 8080')
    ping(lab, 'site', '10.0.0.1')


def test_a_server_that_listens_at_one_address(lab):
    tunnel(lab, 'hub', {**SERVER, 'listen': '127.0.0.1'})
    assert '127.0.0.1:8080' in lab.run('hub', 'ss -Hltn sport = 8080')
    site = tunnel(lab, 'site', CLIENT)
    site.wait_for('check that the server runs')


@pytest.mark.parametrize('congestion', ['reno', 'cubic'])
def test_congestion_control_of_both_ends(lab, congestion):
    connect(lab, {**SERVER, 'congestion': congestion}, congestion=congestion)
    for host in ('hub', 'site'):
        shown = lab.run(host, 'ss -Htni state established ( sport = 8080 or dport = 8080 )')
        assert shown.count(f'{congestion} ') == 2, shown


# ---- Ethernet ----------------------------------------------------------------------------

SWITCH = {'name': 'tap0', 'port': 8080, 'mode': 'ethernet', 'net': '10.5.0.1/24',
          'clients': [{'token': HASHES['test'], 'name': 'one'},
                      {'token': HASHES['foo'], 'name': 'two', 'ips': ['10.5.0.3']}]}
PLUG = {**CLIENT, 'name': 'tap1', 'mode': 'ethernet'}


def test_ethernet_from_end_to_end(lab):
    """site has a second client: the two reach each other through the hub's bridge."""
    hub = tunnel(lab, 'hub', SWITCH)
    tunnel(lab, 'site', PLUG)
    hub.wait_event('connected', name='one')
    lab.host('third')
    lab.cable('hub', 'third', '192.0.2.5/30', '192.0.2.6/30')
    tunnel(lab, 'third', {**PLUG, 'server': 'http://192.0.2.5:8080/', 'token': 'foo'})
    hub.wait_event('connected', name='two')
    lab.run('site', 'ip address add 10.5.0.2/24 dev tap1')
    ping(lab, 'site', '10.5.0.1')
    ping(lab, 'third', '10.5.0.1')
    ping(lab, 'third', '10.5.0.2')
    assert facts_at_end(hub)['packets']['forwarded'] > 0


def test_a_switch_whose_tap_is_removed(lab):
    hub, _ = tunnel(lab, 'hub', SWITCH), tunnel(lab, 'site', PLUG)
    hub.wait_event('connected', name='one')
    lab.run('site', 'ip address add 10.5.0.2/24 dev tap1')
    ping(lab, 'site', '10.5.0.1')
    lab.run('hub', 'ip link delete tap0')
    hub.wait_event('restored')
    ping(lab, 'site', '10.5.0.1')
    assert not hub.events('disconnected')


def test_a_lease_through_ethernet(lab):
    hub = tunnel(lab, 'hub', SWITCH)
    tunnel(lab, 'site', PLUG)
    hub.wait_event('connected', name='one')
    dnsmasq = lab.start('hub', 'dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 '
                               '--interface=tap0 --bind-interfaces --log-facility=- --user= '
                               '--dhcp-range=10.5.0.100,10.5.0.150,1h '
                               f'--dhcp-leasefile={lab.directory}/leases')
    dnsmasq.wait_for('started')
    script = pathlib.Path(f'{lab.directory}/lease')
    script.write_text('#!/bin/sh\n[ "$1" = bound ] && ip address add $ip/24 dev $interface\n:\n')
    script.chmod(0o755)
    lab.run('site', f'busybox udhcpc -f -n -q -t 10 -T 1 -i tap1 -s {script}')
    assert ' 10.5.0.1' in lab.run('site', 'ip -4 address show tap1')
    ping(lab, 'site', '10.5.0.1')


def test_a_tap_on_a_bridge_of_this_machine(lab):
    lab.switch('hub')
    lab.run('hub', 'ip address add 10.5.0.9/24 dev br0')
    hub = tunnel(lab, 'hub', {'name': 'tap0', 'port': 8080, 'mode': 'ethernet', 'bridge': 'br0',
                              'clients': SWITCH['clients'][:1]})
    tunnel(lab, 'site', PLUG)
    hub.wait_event('connected', name='one')
    lab.run('site', 'ip address add 10.5.0.2/24 dev tap1')
    ping(lab, 'site', '10.5.0.9')


@pytest.mark.parametrize('server, client', [(SWITCH, CLIENT), (SERVER, PLUG)],
                         ids=['ip at ethernet', 'ethernet at ip'])
def test_the_other_mode_is_refused(lab, server, client):
    tunnel(lab, 'hub', server)
    site = tunnel(lab, 'site', client)
    site.wait_for('has another "mode" than this one; trying again')
    assert site.events('connected') == []

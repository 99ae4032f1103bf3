# SPDX-License-Identifier: MIT
"""weft tunnel: each key of the configuration is another one after a reload, and what that does.

    hub ------------ 192.0.2.0/30 ------------ site
    tun0 10.0.0.1/24 === HTTP, port 8080 === tun1 10.0.0.2

A key has one row or several, each with what the hub's and the site's files say before and after. The
keys are those that src/config reads: one that is new there has to have a row here.
"""
import dataclasses
import json
import pathlib
import re
import signal
import typing

import pytest

import netlab
import party as p
from tunnels import (CLIENT, HASHES, HTTPS, SERVER, TWO, both, certificate, connections_to,
                     hang_up, lab, ping, rewrite, secure, tunnel)

SOURCES = pathlib.Path(__file__).parents[2] / 'src/config'
KEY = re.compile(r'\{ "([a-z0-9_]+)", JSON_')
KINDS = {'server': 'server.c', 'client': 'client.c', 'peer': 'peer.c', 'rule': 'acl.c',
         'exit': 'exits.c', 'mark': 'common.c', 'interface': 'config.h'}
TLS = ('cert', 'key')

PEER = SERVER['clients'][0]
STAYS, COMES_BACK, ENDS, REFUSED = 'stays', 'comes back', 'ends', 'refused'
SHOP = {**SERVER, 'clients': [{**PEER, 'tags': ['shops']}]}
SHOPS = {**SERVER, 'clients': [{**PEER, 'tags': ['shops']},
                               {**TWO['clients'][1], 'tags': ['others']}]}


@dataclasses.dataclass
class Row:
    """Of a key. at: 'hub' or 'site', whose file is another one; what becomes of the connection."""
    key: str
    at: str
    after: typing.Any
    effect: typing.Callable = None
    before: typing.Any = None
    other: typing.Any = None  # The other end's file.
    becomes: str = STAYS
    said: str = ''  # A change, or of a refusal why.

    def files(self):
        hub, site = self.other or SERVER, self.other or CLIENT
        if self.at == 'hub':
            return self.before or SERVER, site
        return hub, self.before or CLIENT


def at_hub(key, after, effect=None, **rest):
    return Row(key, 'hub', {**SERVER, **after}, effect, **rest)


def at_site(key, after, effect=None, **rest):
    return Row(key, 'site', {**CLIENT, **after}, effect, **rest)


def of_peer(key, after, effect=None, **rest):
    return at_hub(key, {'clients': [{**PEER, 'name': '10.0.0.2', **after}]}, effect, **rest)


# ---- effects -----------------------------------------------------------------------------


def shows(host, command, text):
    return lambda lab: re.search(text, lab.run(host, command, check=False))


def hides(host, command, text):
    return lambda lab: not re.search(text, lab.run(host, command, check=False))


def answers(host, address):
    return lambda lab: '1 received' in lab.run(
        host, f'ping -c1 -W1 {address}', check=False)


def is_silent(host, address):
    return lambda lab: '1 received' not in lab.run(host, f'ping -c1 -W1 {address}', check=False)


def status(text):
    return shows('hub', f'{p.WEFT} status', text)


def is_of(host, device, kind):
    return shows(host, f'ip -d link show {device}', f'tun type {kind} ')


def connects(text='192.0.2.1'):
    return lambda lab: any(text in (event.get('name') or '')
                           for process in lab.processes if 'tun1' in process.output()
                           for event in process.events('connected')[1:])


def all_of(*effects):
    return lambda lab: all(effect(lab) for effect in effects)


def is_all(host, control):
    """Each connection of the tunnel has that congestion control."""
    def look(lab):
        said = lab.run(host, 'ss -Htin state established ( sport = 8080 or dport = 8080 )')
        found = re.findall(r'\n\t +(?:ts )?(?:sack )?(?:ecn )?(\w+)', '\n' + said)
        return len(found) == 2 and set(found) == {control}
    return look


def opens_5555(lab):
    return lab.run('site', 'timeout 2 bash -c "</dev/tcp/10.0.0.1/5555 && echo open"',
                   check=False) == 'open\n'


def hears_strangers(lab):
    def count():
        link, = json.loads(lab.run('hub', 'ip -j -s link show tun0'))
        return link['stats64']['rx']['packets']
    before = count()
    lab.run('site', 'ping -c3 -i0.2 -W1 -I 10.99.0.1 10.0.0.1', check=False)
    return count() >= before + 3


PING = {'from': '*', 'to': '__self__', 'protocol': 'icmp'}
WAY = {'from': '__self__', 'via': 'shops'}
SYSTEMS = pathlib.Path('/proc/sys/net/ipv4/tcp_congestion_control').read_text().strip()
NEAR = 'ip -br address show tun0'
WAYS = 'ip route'

ROWS = [
    # Of both kinds of interface, at a server
    at_hub('interface.name', {'name': 'tun9'}, all_of(
        answers('site', '10.0.0.1'), shows('hub', 'ip -br link', 'tun9'),
        hides('hub', 'ip -br link', 'tun0')), becomes=COMES_BACK, said='tun9 is new'),
    at_hub('interface.mode', {'mode': 'ethernet'}, is_of('hub', 'tun0', 'tap'), becomes=ENDS,
           said='"mode" has changed'),
    at_hub('interface.congestion', {'congestion': 'reno'}, is_all('hub', 'reno')),
    Row('interface.congestion', 'hub', SERVER, is_all('hub', SYSTEMS),
        before={**SERVER, 'congestion': 'reno'}),
    at_hub('interface.congestion', {'congestion': 'nv'}, becomes=REFUSED,
           said='no congestion control "nv", but'),
    at_hub('interface.compat', {'compat': True}, said='"compat" has changed'),
    at_hub('interface.mark', {'mark': {'value': 77, 'table': 7700}},
           shows('hub', 'ip rule', 'fwmark 0x4d lookup 7700')),
    Row('mark.value', 'hub', {**SERVER, 'mark': {'value': 78, 'table': 7700}}, all_of(
        shows('hub', 'ip rule', 'fwmark 0x4e lookup 7700'), hides('hub', 'ip rule', '0x4d'),
        shows('hub', 'ip route show table 7700', 'default dev tun0')),
        before={**SERVER, 'mark': {'value': 77, 'table': 7700}}),
    Row('mark.table', 'hub', {**SERVER, 'mark': {'value': 77, 'table': 7800}}, all_of(
        shows('hub', 'ip rule', 'fwmark 0x4d lookup 7800'), hides('hub', 'ip rule', '7700'),
        hides('hub', 'ip route show table all', 'table 7700')),
        before={**SERVER, 'mark': {'value': 77, 'table': 7700}}),
    # Of a server
    at_hub('server.port', {'port': 8081}, shows('hub', 'ss -Htln', r'[*:]8081 '),
           other={**CLIENT, 'server': 'http://192.0.2.1:8080/'}, becomes=ENDS),
    at_hub('server.listen', {'listen': '192.0.2.1'}, all_of(
        answers('site', '10.0.0.1'), shows('hub', 'ss -Htln', r'192.0.2.1:8080'),
        hides('hub', 'ss -Htln', r'\*:8080')), becomes=COMES_BACK),
    Row('server.listen', 'hub', SERVER, all_of(
        answers('site', '10.0.0.1'), shows('hub', 'ss -Htln', r'\*:8080'),
        hides('hub', 'ss -Htln', r'192.0.2.1:8080')), before={**SERVER, 'listen': '192.0.2.1'},
        becomes=COMES_BACK),
    at_hub('server.net', {'net': '10.0.0.77/24'}, all_of(
        answers('site', '10.0.0.77'), hides('hub', NEAR, r'10\.0\.0\.1/'))),
    at_hub('server.net6', {'net6': 'fd00::1/64'}, shows('hub', NEAR, 'fd00::1/64')),
    at_hub('server.mtu', {'mtu': 1300}, all_of(
        shows('hub', 'ip link show tun0', 'mtu 1300'),
        shows('site', 'ip link show tun1', 'mtu 1300'))),
    at_hub('server.ips', {'ips': ['10.9.0.1/24']}, answers('hub', '10.9.0.1')),
    Row('server.routes', 'hub', {**SHOP, 'exits': [WAY], 'routes': ['192.168.77.0/24']},
        is_silent('hub', '192.168.77.1'), before={**SHOP, 'exits': [WAY]}),
    at_hub('server.push', {'push': ['192.168.7.0/24']},
           shows('site', WAYS, '192.168.7.0/24 dev tun1')),
    at_hub('server.acl', {'acl': []}, is_silent('site', '10.0.0.1')),
    Row('server.exits', 'hub', {**SHOP, 'exits': [WAY]}, answers('hub', '192.168.77.1'),
        before=SHOP),
    at_hub('server.clients', {'clients': TWO['clients']}, status('10.0.0.3'),
           said='client 10.0.0.3 is new'),
    # Of a server's client
    of_peer('peer.token', {'token': HASHES['foo']}, status('10.0.0.2 +away'), becomes=ENDS),
    of_peer('peer.ip', {'ip': '10.0.0.9'}, answers('hub', '10.0.0.9')),
    of_peer('peer.ips', {'ips': ['10.0.0.8']}, answers('hub', '10.0.0.8')),
    of_peer('peer.routes', {'routes': ['192.168.77.0/24']}, answers('hub', '192.168.77.1')),
    of_peer('peer.sources', {'sources': ['10.0.0.1/32']}, answers('hub', '192.168.77.1')),
    of_peer('peer.name', {'name': 'shop'}, status('shop +192.0.2.2'), becomes=COMES_BACK),
    of_peer('peer.push', {'push': ['192.168.7.0/24']},
            shows('site', WAYS, '192.168.7.0/24 dev tun1')),
    of_peer('peer.source_check', {'source_check': False}, hears_strangers),
    Row('peer.tags', 'hub', {**SERVER, 'acl': [{**PING, 'from': 'shop*'}],
                             'clients': [{**PEER, 'tags': ['shops']}]},
        answers('site', '10.0.0.1'),
        before={**SERVER, 'acl': [{**PING, 'from': 'shop*'}]}),
    # Of a rule
    Row('rule.from', 'hub', {**SERVER, 'acl': [PING]}, answers('site', '10.0.0.1'),
        before={**SERVER, 'acl': [{**PING, 'from': '10.9.0.0/16'}]}),
    Row('rule.to', 'hub', {**SERVER, 'acl': [PING]}, answers('site', '10.0.0.1'),
        before={**SERVER, 'acl': [{**PING, 'to': '10.9.0.0/16'}]}),
    Row('rule.protocol', 'hub', {**SERVER, 'acl': [PING]}, answers('site', '10.0.0.1'),
        before={**SERVER, 'acl': [{**PING, 'protocol': 'udp'}]}),
    Row('rule.ports', 'hub', {**SERVER, 'acl': [{**PING, 'protocol': 'tcp', 'ports': '5550-5559'}]},
        opens_5555,
        before={**SERVER, 'acl': [{**PING, 'protocol': 'tcp', 'ports': 22}]}),
    # Of an exit
    Row('exit.from', 'hub', {**SHOP, 'exits': [WAY]}, answers('hub', '192.168.77.1'),
        before={**SHOP, 'exits': [{**WAY, 'from': '10.9.0.0/16'}]}),
    Row('exit.via', 'hub', {**SHOPS, 'exits': [WAY]}, answers('hub', '192.168.77.1'),
        before={**SHOPS, 'exits': [{**WAY, 'via': 'others'}]}),
    Row('exit.mode', 'hub', {**SHOP, 'exits': [{**WAY, 'mode': 'balance'}]},
        status('balance of'), before={**SHOP, 'exits': [WAY]}),
    # Of both kinds, at a client
    at_site('interface.name', {'name': 'tun2'}, all_of(
        answers('site', '10.0.0.1'), hides('site', 'ip -br link', 'tun1')),
        said='tun2 is new'),
    at_site('interface.mode', {'mode': 'ethernet'}, is_of('site', 'tun1', 'tap'), becomes=ENDS,
            said='"mode" has changed'),
    at_site('interface.congestion', {'congestion': 'reno'}, is_all('site', 'reno')),
    at_site('interface.congestion', {'congestion': 'nv'}, becomes=REFUSED,
            said='no congestion control "nv", but'),
    at_site('interface.mark', {'mark': {'value': 77, 'table': 7700}},
            shows('site', 'ip rule', 'fwmark 0x4d lookup 7700')),
    at_site('interface.compat', {'compat': True}, connects(), becomes=COMES_BACK),
    Row('interface.name', 'site', {**SERVER, 'name': 'tun1'}, shows('site', 'ss -Htln', ':8080 '),
        becomes=ENDS, said='tun1: is a server, was a client'),
    # Of a client
    at_site('client.server', {'server': 'http://192.0.2.1:8080/else'}, connects('else'),
            becomes=COMES_BACK),
    at_site('client.token', {'token': 'foo'}, status('10.0.0.3 +192.0.2.2'), other=TWO,
            becomes=COMES_BACK),
    at_site('client.proxy', {'proxy': 'http://192.0.2.1:9'},
            lambda lab: any('check that the proxy' in process.output()
                            for process in lab.processes), becomes=ENDS),
    at_site('client.http2', {'http2': True}, connects(), becomes=COMES_BACK),
    at_site('client.family', {'family': 'ipv4'}, connects(), becomes=COMES_BACK),
    at_site('client.streams', {'streams': 3}, lambda lab: len(connections_to(lab, 8080)) == 6,
            becomes=COMES_BACK),
    at_site('client.accept_routes', {'accept_routes': False},
            hides('site', WAYS, '192.168.7.0'),
            other={**SERVER, 'push': ['192.168.7.0/24']}),
    at_site('client.headers', {'headers': {'x-shift': 'two'}},
            lambda lab: 'x-shift: two' in lab.dump.output(), becomes=COMES_BACK),
]


# ---- the rows ----------------------------------------------------------------------------


def is_as_it_becomes(row, ends):
    has_ended = any(end.events('disconnected') for end in ends)
    return has_ended != (row.becomes in (STAYS, REFUSED))


def surroundings(lab):
    """What some rows ask for, and none minds."""
    lab.run('hub', 'ip address add 192.168.50.1/24 dev lo')
    lab.run('hub', 'ip route add 192.168.77.0/24 dev tun0')
    lab.run('site', 'ip address add 192.168.77.1/24 dev lo')
    lab.run('site', 'ip address add 10.99.0.1/32 dev lo')
    lab.run('site', 'ip route add 192.168.50.0/24 dev tun1')
    lab.start('hub', '/usr/bin/python3 -m http.server 5555').wait_for('Serving')
    lab.dump = lab.start('hub', 'tcpdump -l -A -i any tcp dst port 8080')
    lab.dump.wait_for('listening on')


@pytest.mark.parametrize('row', ROWS, ids=lambda row: f'{row.at}:{row.key}')
def test_a_key_is_another_one(lab, row):
    hub, site = row.files()
    server, client = both(lab, hub, site)
    surroundings(lab)
    process = server if row.at == 'hub' else client
    if row.becomes == REFUSED:
        rewrite(process, row.after)
        process.popen.send_signal(signal.SIGHUP)
        assert row.said in process.wait_event('not-reloaded')['error']
        ping(lab, 'site', '10.0.0.1')
    else:
        if row.effect:
            lab.until(lambda: not row.effect(lab))
        changes = hang_up(process, row.after)
        assert changes and row.said in ', '.join(changes)
        if row.effect:
            lab.until(lambda: row.effect(lab))
    lab.until(lambda: is_as_it_becomes(row, (server, client)))


def keys_of(kind, file):
    keys = set(KEY.findall((SOURCES / file).read_text().replace('\n', ' ')))
    keys |= {'bridge'} if kind == 'interface' else set()
    return {f'{kind}.{key}' for key in keys if kind != 'server' or key not in TLS}


def test_each_key_has_a_row():
    """Those of TLS and of bridges have tests of their own, below."""
    keys = set.union(*(keys_of(kind, file) for kind, file in KINDS.items()))
    assert len(keys) > 40
    alone = {'server.tls', 'client.ca', 'client.pin', 'interface.bridge'}
    assert {row.key for row in ROWS} | alone == keys


# ---- certificates ------------------------------------------------------------------------


def comes_back(client, number):
    client.wait_event('connected', number=number)


def test_tls_comes_and_goes_at_the_same_port(lab):
    cert, key, _ = certificate(lab)
    safe = {**CLIENT, 'server': HTTPS, 'ca': cert}
    server, client = both(lab)
    hang_up(server, secure(cert, key))
    server.wait_event('disconnected')
    hang_up(client, safe)
    comes_back(client, 2)
    ping(lab, 'site', '10.0.0.1')
    hang_up(server, SERVER, number=2)
    hang_up(client, CLIENT, number=2)
    comes_back(client, 3)
    ping(lab, 'site', '10.0.0.1')


def test_other_files_of_a_certificate_are_for_new_connections(lab):
    first, second = certificate(lab), certificate(lab, 'second')
    server, client = both(lab, secure(*first[:2]), {**CLIENT, 'server': HTTPS, 'ca': first[0]})
    ping(lab, 'site', '10.0.0.1')
    assert hang_up(server, secure(*second[:2])) == [
        'tun0: "tls.cert" has changed', 'tun0: "tls.key" has changed']
    ping(lab, 'site', '10.0.0.1')
    assert server.events('disconnected') == client.events('disconnected') == []
    hang_up(client, {**CLIENT, 'server': HTTPS, 'ca': second[0]})
    comes_back(client, 2)


def test_a_file_that_is_not_there_leaves_the_certificate(lab):
    first, second = certificate(lab), certificate(lab, 'second')
    server, client = both(lab, secure(*first[:2]), {**CLIENT, 'server': HTTPS, 'ca': first[0]})
    rewrite(server, secure(first[0], second[1]))
    server.popen.send_signal(signal.SIGHUP)
    server.wait_event('not-reloaded')
    hang_up(client, {**CLIENT, 'server': HTTPS, 'ca': first[0], 'streams': 2})
    comes_back(client, 2)


@pytest.mark.parametrize('key', ['ca', 'pin'])
def test_whom_a_client_believes(lab, key):
    first, second = certificate(lab), certificate(lab, 'second')
    which = 0 if key == 'ca' else 2
    tunnel(lab, 'hub', secure(*first[:2]))
    client = tunnel(lab, 'site', {**CLIENT, 'server': HTTPS, key: second[which]})
    client.wait_for('trying again')
    hang_up(client, {**CLIENT, 'server': HTTPS, key: first[which]})
    client.wait_event('connected')
    hang_up(client, {**CLIENT, 'server': HTTPS, key: second[which]}, number=2)
    client.wait_event('disconnected')


# ---- bridges -----------------------------------------------------------------------------


def test_a_bridge_is_another_one_and_none(lab):
    frames = {'name': 'tap0', 'mode': 'ethernet', 'port': 8080,
              'clients': [{'name': 'site', 'token': HASHES['test']}]}
    lab.run('hub', 'ip link add br0 up type bridge')
    lab.run('hub', 'ip link add br1 up type bridge')
    server = tunnel(lab, 'hub', {**frames, 'bridge': 'br0'})
    client = tunnel(lab, 'site', {**CLIENT, 'mode': 'ethernet'})
    client.wait_event('connected')

    def shown():
        return lab.run('hub', 'ip link show tap0')
    assert 'master br0' in shown()
    assert hang_up(server, {**frames, 'bridge': 'br1'}) == ['tap0: "bridge" has changed']
    assert 'master br1' in shown()
    rewrite(server, {**frames, 'bridge': 'br7'})
    server.popen.send_signal(signal.SIGHUP)
    assert 'no interface br7' in server.wait_event('not-reloaded')['error']
    assert 'master br1' in shown()
    hang_up(server, frames, number=2)
    assert 'master' not in shown()
    hang_up(server, {**frames, 'bridge': 'br0'}, number=3)
    assert 'master br0' in shown()
    assert client.events('disconnected') == []


# ---- what cannot be there beside what was ------------------------------------------------

FRAMES = {**SERVER, 'mode': 'ethernet'}


def test_another_mode_is_nothing_to_others(lab):
    other, beside = {**SERVER, 'name': 'tun5', 'port': 8085, 'net': '10.5.0.1/24', 'clients': [
        {'token': HASHES['test'], 'ip': '10.5.0.2'}]}, {
            **CLIENT, 'name': 'tun6', 'server': 'http://192.0.2.1:8085/'}
    server, client = tunnel(lab, 'hub', SERVER, other), tunnel(lab, 'site', CLIENT, beside)
    client.wait_event('connected', address='10.5.0.2/24')
    client.wait_event('connected', address='10.0.0.2/24')
    assert hang_up(server, FRAMES, other) == ['tun0: "mode" has changed']
    client.wait_for('another "mode" than this one')
    hang_up(client, {**CLIENT, 'mode': 'ethernet'}, beside)
    client.wait_event('connected', interface='tun1', number=2)
    lab.run('site', 'ip address add 10.0.0.7/24 dev tun1')
    ping(lab, 'site', '10.0.0.1')
    hang_up(server, SERVER, other, number=2)
    hang_up(client, CLIENT, beside, number=2)
    ping(lab, 'site', '10.0.0.1')
    for process in server, client:
        assert all(event['interface'] in ('tun0', 'tun1')
                   for event in process.events('disconnected'))


def test_a_mode_that_cannot_be_leaves_the_other(lab):
    """Those that it concerns have to come back."""
    server, client = both(lab)
    rewrite(server, {**FRAMES, 'bridge': 'br7'})
    server.popen.send_signal(signal.SIGHUP)
    assert 'no interface br7' in server.wait_event('not-reloaded')['error']
    assert is_of('hub', 'tun0', 'tun')(lab)
    comes_back(client, 2)
    ping(lab, 'site', '10.0.0.1')
    assert hang_up(server, TWO) == ['tun0: client 10.0.0.3 is new']


def test_another_mode_keeps_a_port_of_root(lab):
    lab.run('hub', 'sysctl -qw net.ipv4.ip_unprivileged_port_start=1024')
    server = tunnel(lab, 'hub', {**FRAMES, 'port': 80})
    client = tunnel(lab, 'site', {**CLIENT, 'server': 'http://192.0.2.1/'})
    client.wait_for('another "mode" than this one')
    hang_up(server, {**SERVER, 'port': 80})
    client.wait_event('connected')
    ping(lab, 'site', '10.0.0.1')


def test_another_name_takes_the_mark_along(lab):
    marked = {**SERVER, 'mark': {'value': 77, 'table': 7700}}
    server, client = both(lab, marked)
    assert hang_up(server, {**marked, 'name': 'tun9'}) == ['tun0 is no more', 'tun9 is new']
    for family in '', '-6 ':
        assert lab.run('hub', f'ip {family}rule').count('fwmark 0x4d lookup 7700') == 1
        assert 'default dev tun9' in lab.run('hub', f'ip {family}route show table 7700')
    comes_back(client, 2)
    ping(lab, 'site', '10.0.0.1')


def test_a_mark_goes_from_one_that_is_no_more_to_one_that_stays(lab):
    mark = {'mark': {'value': 77, 'table': 7700}}
    other = {**SERVER, 'name': 'tun5', 'port': 8085, 'net': '10.5.0.1/24', 'clients': []}
    server, client = tunnel(lab, 'hub', SERVER, {**other, **mark}), tunnel(lab, 'site', CLIENT)
    client.wait_event('connected')
    assert hang_up(server, {**SERVER, **mark}) == ['tun5 is no more', 'tun0: "mark" has changed']
    assert 'default dev tun0' in lab.run('hub', 'ip route show table 7700')
    assert lab.run('hub', 'ip rule').count('fwmark 0x4d lookup 7700') == 1
    assert client.events('disconnected') == []


# ---- where it listens --------------------------------------------------------------------

CONNECTING = """
import socket, sys, time
refused = made = 0
while time.monotonic() < END:
    try:
        socket.create_connection(('192.0.2.1', 8080), 5).close()
        made += 1
    except ConnectionError:
        refused += 1
    time.sleep(0.001)
print('made', made, 'refused', refused)
"""


def test_nobody_is_refused_while_another_takes_over(lab):
    cert, key, _ = certificate(lab)
    server = tunnel(lab, 'hub', SERVER)
    program = pathlib.Path(f'{lab.directory}/connect.py')
    program.write_text(CONNECTING.replace('END', str(netlab.time.monotonic() + 4)))
    connecting = lab.start('site', f'/usr/bin/python3 {program}')
    for number, conf in enumerate([secure(cert, key), {**SERVER, 'listen': '192.0.2.1'},
                                   SERVER, secure(cert, key), SERVER] * 2, 1):
        hang_up(server, conf, number=number)
    connecting.wait_for('refused')
    assert re.search(r'made [0-9]{3,} refused 0', connecting.output()), connecting.output()


def test_two_servers_change_places(lab):
    other = {**SERVER, 'name': 'tun5', 'net': '10.5.0.1/24', 'clients': []}
    server, client = tunnel(lab, 'hub', SERVER, {**other, 'port': 8085}), tunnel(lab, 'site', CLIENT)
    client.wait_event('connected')
    hang_up(server, {**SERVER, 'port': 8085}, {**other, 'port': 8080})
    client.wait_for('does not know this token')
    hang_up(client, {**CLIENT, 'server': 'http://192.0.2.1:8085/'})
    comes_back(client, 2)


def test_a_port_of_root_keeps_its_socket(lab):
    cert, key, _ = certificate(lab)
    lab.run('hub', 'sysctl -qw net.ipv4.ip_unprivileged_port_start=1024')
    server = tunnel(lab, 'hub', {**SERVER, 'port': 443})
    hang_up(server, {**secure(cert, key), 'port': 443})
    client = tunnel(lab, 'site', {**CLIENT, 'server': 'https://192.0.2.1/', 'ca': cert})
    client.wait_event('connected')


HOLDING = """
import socket, sys
held = [socket.create_connection(('192.0.2.1', 8080), 20) for _ in range(600)]
for one in held:
    one.setblocking(False)
def is_open(one):
    try:
        return one.recv(1) != b''
    except BlockingIOError:
        return True
import time
time.sleep(1)
print('open:', sum(map(is_open, held)))
"""


def test_there_is_room_for_the_clients_that_are_new(lab):
    """All of them come from one address where there is a proxy. Those of before stay."""
    server, client = both(lab)
    clients = [{'name': f'n{i}', 'token': HASHES['foo'][:-3] + f'{i:03x}', 'ip': f'10.1.0.{i}'}
               for i in range(1, 100)]
    hang_up(server, {**SERVER, 'net': '10.0.0.1/15',
                     'clients': [{**PEER, 'name': '10.0.0.2'}, *clients]})
    program = pathlib.Path(f'{lab.directory}/hold.py')
    program.write_text(HOLDING)
    assert lab.run('site', f'/usr/bin/python3 {program}') == 'open: 600\n'
    ping(lab, 'site', '10.0.0.1')
    assert server.events('disconnected') == []


# ---- a reload that fails half-way --------------------------------------------------------


def test_what_was_begun_leaves_no_trace(lab):
    """The second interface cannot be; the first has been made ready."""
    own = {**SERVER, 'ips': ['10.9.0.1/24'], 'mark': {'value': 77, 'table': 7700}}
    server, client = both(lab, own)
    lab.run('hub', 'ip route add 10.99.0.0/16 dev tun0 src 10.9.0.1')
    lab.run('hub', 'ip route add 10.98.0.0/16 dev tun0 src 10.0.0.1')
    seen = 'ip route show table all; ip rule; ip -br address show tun0; ip link show tun0; ss -Htln'

    def shown():
        return lab.run('hub', f'bash -c "{seen}"')
    before = shown()
    lab.start('hub', '/usr/bin/python3 -m http.server 7001').wait_for('Serving')
    before = shown()
    rewrite(server, {**own, 'net': '10.0.0.77/24', 'net6': 'fd00::1/64', 'mtu': 1300,
                     'ips': ['10.8.0.1/24'], 'mark': {'value': 78, 'table': 7700},
                     'congestion': 'reno', 'clients': TWO['clients'], 'listen': '192.0.2.1'},
            {**SERVER, 'name': 'tun2', 'port': 7001, 'net': '10.4.0.1/24', 'clients': []})
    server.popen.send_signal(signal.SIGHUP)
    assert '7001 is in use' in server.wait_event('not-reloaded')['error']
    assert shown() == before
    assert is_all('hub', SYSTEMS)(lab)
    ping(lab, 'site', '10.0.0.1')
    assert server.events('disconnected') == client.events('disconnected') == []

# SPDX-License-Identifier: MIT
"""weft tunnel: what a server lets through, and to whom; how it is spoken to by other programs.

    hub ---- 192.0.2.0/30 ---- site      tun1 10.0.0.2, tagged "office"
     | '---- 192.0.2.4/30 ---- away      tun1 10.0.0.3, tagged "exit"
     '------ 192.0.2.8/30 ---- afar      tun1 10.0.0.4, tagged "exit"
    tun0 10.0.0.1/24, port 8080
"""
import base64
import concurrent.futures
import hashlib
import http.client
import json
import pathlib
import re
import signal
import threading
import time

import pytest

import netlab
import party as p
import tapotun
from tunnels import (CLIENT, HASHES, HTTPS, SERVER, certificate, facts_at_end, hang_up, lab, ping,
                     rewrite, secure, tunnel)

LOCAL = 'http://127.0.0.1:8080/'
BAR = hashlib.sha1(b'bar').hexdigest()
THREE = {**SERVER, 'clients': [
    {'token': HASHES['test'], 'name': 'site', 'ip': '10.0.0.2', 'tags': ['office']},
    {'token': HASHES['foo'], 'name': 'away', 'ip': '10.0.0.3', 'tags': ['exit']},
    {'token': BAR, 'name': 'afar', 'ip': '10.0.0.4', 'tags': ['exit']}]}


def lay(lab, name, hub_address, address, delay):
    """A cable, or a line with a delay of so many milliseconds each way."""
    if not delay:
        lab.cable('hub', name, hub_address, address)
        return
    line = f'line-{name}'
    lab.host(line)
    lab.cable('hub', line, hub_address)
    lab.cable(line, name, '', address)
    p.Weft(lab, line, f'{p.WEFT} bridge --json impair:delay={delay}ms:packet:eth-hub '
                      f'packet:eth-{name}').wait_event('ready')


@pytest.fixture
def three(lab, request):
    """Hosts, and a function that starts the server with more keys and its clients."""
    for number, name in enumerate(('away', 'afar'), 1):
        lab.host(name)
        lay(lab, name, f'192.0.2.{4 * number + 1}/30', f'192.0.2.{4 * number + 2}/30',
            getattr(request, 'param', {}).get(name))

    def start(**more):
        lab.hub = tunnel(lab, 'hub', {**THREE, **more})
        for number, (name, token) in enumerate((('site', 'test'), ('away', 'foo'),
                                                ('afar', 'bar'))):
            server = f'http://192.0.2.{4 * number + 1}:8080/'
            lab.clients[name] = tunnel(lab, name, {**CLIENT, 'server': server, 'token': token})
            lab.hub.wait_event('connected', name=name)
        return lab.hub
    lab.clients = {}
    lab.begin = start
    return lab


def answers(lab, host, address):
    return lab.unanswered(host, address, 1) == []


def is_silent(lab, host, address):
    return ' 0 received' in lab.run(host, f'ping -c2 -i0.2 -W1 {address}', check=False)


# ---- access lists ------------------------------------------------------------------------


def test_what_no_rule_allows_is_dropped(three):
    hub = three.begin(acl=[{'from': 'office', 'to': 'away', 'protocol': 'icmp'}])
    ping(three, 'site', '10.0.0.3')
    assert is_silent(three, 'away', '10.0.0.2')  # answers pass, questions do not
    assert is_silent(three, 'site', '10.0.0.4')
    assert is_silent(three, 'site', '10.0.0.1')
    assert facts_at_end(hub)['packets']['drop-denied'] >= 3


def connects(lab, host, address, port, seconds):
    return lab.run(host, '/usr/bin/python3 -c "import socket; '
                         f"socket.create_connection(('{address}', {port}), {seconds}); print('open')\"",
                   check=False).endswith('open\n')


def test_ports_and_the_server_itself(three):
    three.begin(acl=[{'from': '*', 'to': '__self__', 'protocol': 'tcp', 'ports': [7001]}])
    for port in (7001, 7002):
        three.start('hub', f'/usr/bin/python3 -m http.server {port}').wait_for('Serving')
    assert connects(three, 'site', '10.0.0.1', 7001, seconds=60)
    assert not connects(three, 'site', '10.0.0.1', 7002, seconds=2)
    assert is_silent(three, 'site', '10.0.0.1')


def test_an_access_list_that_is_reloaded(three):
    hub = three.begin()
    ping(three, 'site', '10.0.0.3')
    assert hang_up(hub, {**THREE, 'acl': []}) == ['tun0: "acl" has changed']
    assert is_silent(three, 'site', '10.0.0.3')
    hang_up(hub, THREE, number=2)
    assert answers(three, 'site', '10.0.0.3')
    assert hub.events('disconnected') == []


# ---- exits -------------------------------------------------------------------------------

WORLD = '203.0.113.9'


def test_another_exit_takes_over(three):
    """Both lead to the same address; the host that answers counts what it gets."""
    three.begin(exits=[{'from': 'office', 'via': 'exit'}], push=['203.0.113.0/24'])
    for name in ('away', 'afar'):
        three.run(name, f'ip address add {WORLD}/32 dev lo')
    ping(three, 'site', WORLD)
    used = 'away' if icmp(three, 'away') > icmp(three, 'afar') else 'afar'
    other = {'away': 'afar', 'afar': 'away'}[used]
    before = icmp(three, other)
    three.clients[used].stop(signal.SIGKILL)
    ping(three, 'site', WORLD, seconds=20)
    assert icmp(three, other) > before


def icmp(lab, host):
    """Echo requests that a host has answered."""
    lines = [line.split() for line in
             lab.run(host, 'cat /proc/net/snmp').splitlines() if line.startswith('Icmp:')]
    return int(dict(zip(*lines))['OutEchoReps'])


def shares(lab):
    """Of a thousand flows, how many each exit is to have."""
    said = lab.run('hub', f'{p.WEFT} status --json {lab.hub.popen.pid}')
    rule, = json.loads(said)['facts']['interfaces'][0]['exits']
    return dict(zip(rule['usable'], rule['shares_permille']))


@pytest.mark.parametrize('three', [{'away': 20, 'afar': 60}], indirect=True, ids=['far'])
def test_flows_are_balanced_over_exits(three):
    """One is three times as far away as the other: it has about a quarter of the flows."""
    three.begin(exits=[{'from': 'office', 'via': 'exit', 'mode': 'balance'}],
                push=['203.0.113.0/24'])
    for name in ('away', 'afar'):
        three.run(name, 'ip route add local 203.0.113.0/24 dev lo')
    ping(three, 'site', '203.0.113.1')
    three.until(lambda: 150 < shares(three).get('afar', 0) < 400)
    before = {name: icmp(three, name) for name in ('away', 'afar')}
    three.run('site', 'sh -c "for i in $(seq 64); do ping -c1 -w60 203.0.113.$i & done; wait"')
    took = {name: icmp(three, name) - before[name] for name in before}
    assert sum(took.values()) >= 64 and took['away'] > took['afar'] > 0
    said = three.run('hub', f'{p.WEFT} status')
    assert re.search(r'\n    balance of line 1: (away|afar) [\d.]+ %, (away|afar) [\d.]+ %\n', said)


# ---- its certificate ---------------------------------------------------------------------


def shown_key(lab):
    text = lab.run('site', 'sh -c "openssl s_client -connect 192.0.2.1:8080 </dev/null 2>&1 | '
                           'openssl x509 -pubkey -noout"')
    return text


def test_another_certificate_is_shown_after_a_reload(lab):
    cert, key, _ = certificate(lab)
    server = tunnel(lab, 'hub', secure(cert, key))
    client = tunnel(lab, 'site', {**CLIENT, 'server': HTTPS, 'ca': cert})
    client.wait_event('connected')
    before = shown_key(lab)
    certificate(lab)
    assert shown_key(lab) == before
    assert hang_up(server, secure(cert, key)) == []
    assert shown_key(lab) != before
    ping(lab, 'site', '10.0.0.1')
    assert client.events('disconnected') == []


def test_a_bad_certificate_leaves_the_old_one(lab):
    cert, key, _ = certificate(lab)
    server = tunnel(lab, 'hub', secure(cert, key))
    before = shown_key(lab)
    with open(cert, 'w') as file:
        file.write('nonsense')
    server.popen.send_signal(signal.SIGHUP)
    server.wait_event('not-reloaded')
    assert shown_key(lab) == before


def test_a_reload_that_fails_later_leaves_the_certificate(lab):
    """The second interface cannot listen; the first would have been ready."""
    cert, key, _ = certificate(lab)
    server = tunnel(lab, 'hub', secure(cert, key))
    other = {**SERVER, 'name': 'tun2', 'port': 7001, 'net': '10.9.0.1/24', 'clients': []}
    lab.start('hub', '/usr/bin/python3 -m http.server 7001').wait_for('Serving')
    before = shown_key(lab)
    certificate(lab)
    rewrite(server, secure(cert, key), other)
    server.popen.send_signal(signal.SIGHUP)
    assert '7001 is in use' in server.wait_event('not-reloaded')['error']
    assert shown_key(lab) == before
    assert hang_up(server, secure(cert, key)) == []
    assert shown_key(lab) != before


def test_a_certificate_is_read_again_by_itself(lab):
    """Within the minute, and nobody has said so."""
    cert, key, _ = certificate(lab)
    tunnel(lab, 'hub', secure(cert, key))
    before = shown_key(lab)
    certificate(lab)
    lab.until(lambda: shown_key(lab) != before, seconds=180)


# ---- x-weft, by another program ----------------------------------------------------------


def ask(**headers):
    connection = http.client.HTTPConnection('127.0.0.1', 8080, timeout=60)
    connection.putrequest('GET', '/')
    for name, value in {'x_api_key': 'test', **headers}.items():
        connection.putheader(name.replace('_', '-'), value)
    connection.endheaders()
    response = connection.getresponse()
    response.keeps = connection
    return response


def hello(session, lane='0/1', mode='ip'):
    return {'x_weft': f'v=1; mode={mode}; lane={lane}; session={session:016x}'}


def conf(response):
    return json.loads(base64.b64decode(response.headers['x-weft-conf'], validate=True))


def test_who_says_x_weft_is_told_all(lab):
    tunnel(lab, None, {**SERVER, 'net6': 'fd00::1/64', 'push': ['192.168.7.0/24'], 'clients': [
        {'token': HASHES['test'], 'ips': ['10.0.0.2', 'fd00::2']}]})
    response = ask(**hello(7, '0/4'))
    assert conf(response) == {'v': 1, 'mode': 'ip', 'mtu': 1400, 'lanes': 4,
                              'ips': ['10.0.0.2/24', 'fd00::2/64'],
                              'routes': ['192.168.7.0/24']}
    assert response.headers['x-tun-conf'] == 'eAUYCgAAAg=='
    assert ask().headers['x-weft-conf'] is None


@pytest.mark.parametrize('said, status', [
    (hello(7, mode='ethernet'), 409), ({'x_weft': 'v=1; lane=9/9'}, 400),
    ({'x_weft': 'v=2; colour=red'}, 200)], ids=['mode', 'nonsense', 'later'])
def test_answers_to_x_weft(lab, said, status):
    tunnel(lab, None, SERVER)
    response = ask(**said)
    assert response.status == status
    if status == 409:
        assert b'carries IP' in response.read()


def test_an_old_client_at_an_ethernet_server_is_refused(lab):
    tunnel(lab, None, {'name': 'tap0', 'port': 8080, 'mode': 'ethernet',
                       'clients': [{'token': HASHES['test'], 'name': 'one'}]})
    assert ask().status == 409
    assert ask(**hello(7, mode='ethernet')).status == 200


def ends(response, within=60):
    """Whether the response comes to its regular end."""
    found = []

    def read():
        try:
            found.append(response.read())
        except http.client.IncompleteRead:  # at the end of the test, with the server
            pass
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(within)
    return bool(found)


def test_a_session_takes_over_from_all_lanes_of_another(lab):
    server = tunnel(lab, None, SERVER)
    first = [ask(**hello(1, f'{lane}/3')) for lane in range(3)]
    assert [response.status for response in first] == [200] * 3
    server.wait_event('connected')
    time.sleep(0.5)
    assert len(server.events('connected')) == 1
    second = ask(**hello(2, '0/3'))
    assert all(ends(response) for response in first)
    assert not ends(second, within=1)
    server.wait_event('connected', number=2)
    assert server.events('disconnected') == []


def test_nothing_that_an_old_client_does_not_know_reaches_it(lab):
    """Its server has spoken to one of ours before, and would probe that one's path."""
    tunnel(lab, None, SERVER)
    ours = ask(**hello(1))
    old = tapotun.Client(LOCAL, 'test')
    assert old.get().status == 200
    assert ends(ours)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        if not old.received.empty():
            vnet, packet = old.received.get()
            assert vnet is None or vnet[0] != 0xff, packet


def test_a_slow_hash_costs_a_token_once(lab):
    token = pathlib.Path(f'{lab.directory}/token')
    token.write_text('geheim')
    token.chmod(0o600)
    made = lab.run(None, f'{p.WEFT} tunnel token --json --token-file {token}')
    tunnel(lab, None, {**SERVER, 'clients': [{'token': json.loads(made)['hash'],
                                              'ip': '10.0.0.2'}]})
    took = []
    for _ in range(4):
        began = time.monotonic()
        assert ask(x_api_key='geheim').status == 200
        took.append(time.monotonic() - began)
    assert min(took[1:]) < took[0] / 2, took


# Of "geheim", made to take a second or two.
SLOW = ('$argon2id$v=19$m=65536,t=20,p=1$4wNV7D'
        'vUyYttQl/LLap6xA$R1Dcf6KkLdu1IxUl32u1IhyHzeX/ZIrFONuTfJlk/as')
ASK = """import http.client, time
began = time.monotonic()
connection = http.client.HTTPConnection('127.0.0.1', 8080)
connection.request('GET', '/', headers={'x-api-key': 'geheim'})
print(connection.getresponse().status, time.monotonic() - began)"""


def longest_wait(lab):
    """Of the pings of a client while another one's token is tried, to the time that takes."""
    hub = tunnel(lab, 'hub', {**SERVER, 'clients': [*SERVER['clients'],
                                                    {'token': SLOW, 'ip': '10.0.0.9'}]})
    site = tunnel(lab, 'site', CLIENT)
    ping(lab, 'site', '10.0.0.1')
    path = pathlib.Path(f'{lab.directory}/ask.py')
    path.write_text(ASK)
    waits = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(lab.run, 'hub', f'/usr/bin/python3 {path}')
        while not asked.done():
            said = lab.run('site', 'ping -c1 -W60 10.0.0.1')
            waits.append(float(re.search(r'time=([\d.]+)', said)[1]) / 1000)
    status, took = asked.result().split()
    assert status == '200' and len(waits) > 2
    assert site.stop() == 0 and hub.stop() == 0
    return max(waits) / float(took)


def test_a_new_slow_token_delays_nobody_else(lab):
    assert netlab.is_ever_within(1 / 3, lambda: longest_wait(lab))


def test_an_upload_may_come_before_its_token_is_known(lab):
    """As the original sends it: beside the GET, and with the first bytes right behind its head."""
    tunnel(lab, None, {**SERVER, 'clients': [{'token': SLOW, 'ip': '10.0.0.2'}]})
    client = tapotun.Client(LOCAL, 'geheim')
    client.put()
    client.send(tapotun.PING)
    assert client.get().status == 200
    client.send(tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 7)))
    next(packet for packet in client.packets() if packet[9] == 1 and packet[20] == 0)
    assert client.end() == (200, b'OK')

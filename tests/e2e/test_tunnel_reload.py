# SPDX-License-Identifier: MIT
"""weft tunnel: another configuration while it runs, by SIGHUP and by `weft reload`.

    hub ------------ 192.0.2.0/30 ------------ site
    tun0 10.0.0.1/24 === HTTP, port 8080 === tun1 10.0.0.2
"""
import hashlib
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket as sockets
import time

import pytest

import netlab
import party as p
import tapotun
from tunnels import (CLIENT, HASHES, SERVER, TWO, both, hang_up, lab, ping, rewrite, tunnel)


OTHER = {**SERVER, 'name': 'tun5', 'port': 8085, 'net': '10.5.0.1/24', 'clients': []}


def reload(lab, host='hub', operand='', check=True):
    return lab.run(host, f'{p.WEFT} reload {operand}', check=check)


def test_whom_it_does_not_concern_notices_nothing(lab):
    """A ping loses nothing, and a TCP connection goes on, over reloads of all kinds."""
    server, client = both(lab)
    iperf = lab.start('hub', 'iperf3 --server --one-off --forceflush --bind 10.0.0.1')
    iperf.wait_for('listening')
    stream = lab.start('site', 'iperf3 --client 10.0.0.1 --time 6 --bitrate 20M --json')
    pings = lab.start('site', 'ping -i 0.05 -c 100 -w 60 10.0.0.1')
    time.sleep(1)
    assert hang_up(server, TWO) == ['tun0: client 10.0.0.3 is new']
    assert hang_up(server, {**TWO, 'mtu': 1300, 'push': ['192.168.7.0/24']}, number=2) == [
        'tun0: "mtu" is 1300, was 1400', 'tun0: "push" has changed']
    assert hang_up(server, SERVER, number=3) == [
        'tun0: "mtu" is 1400, was 1300', 'tun0: "push" has changed',
        'tun0: client 10.0.0.3 is no more']
    assert hang_up(server, SERVER, number=4) == []
    pings.wait_for('packets transmitted')
    assert netlab.missing_answers(pings.output(), 100) == []
    assert stream.popen.wait(netlab.PATIENCE) == 0
    assert json.loads(stream.output())['end']['sum_sent']['bytes'] > 6e6
    assert server.events('disconnected') == client.events('disconnected') == []


def test_a_client_hears_of_what_is_different_for_it(lab):
    server, client = both(lab)
    hang_up(server, {**SERVER, 'mtu': 1300, 'net6': 'fd00::1/64', 'push': ['192.168.7.0/24'],
                     'clients': [{**SERVER['clients'][0], 'name': '10.0.0.2',
                                  'ips': ['10.0.0.9', 'fd00::2']}]})
    lab.until(lambda: 'fd00::2/64' in lab.run('site', 'ip address show tun1'))
    lab.until(lambda: '192.168.7.0/24 dev tun1' in lab.run('site', 'ip route'))
    assert 'mtu 1300' in lab.run('site', 'ip link show tun1')
    ping(lab, 'hub', '10.0.0.9')
    ping(lab, 'hub', 'fd00::2')
    hang_up(server, SERVER, number=2)
    lab.until(lambda: 'fd00::2' not in lab.run('site', 'ip address show tun1'))
    assert '192.168.7.0' not in lab.run('site', 'ip route')
    ping(lab, 'site', '10.0.0.1')
    assert client.events('disconnected') == []


def test_a_client_of_the_original_asks_anew(lab):
    """But not for what it would not be told."""
    server = tunnel(lab, None, SERVER)
    client = tapotun.Client('http://127.0.0.1:8080/', 'test')
    assert client.get().headers['x-tun-conf'] == 'eAUYCgAAAg=='
    hang_up(server, {**SERVER, 'push': ['192.168.7.0/24']})
    with pytest.raises(queue.Empty):
        client.received.get(timeout=1)
    hang_up(server, {**SERVER, 'mtu': 1300}, number=2)
    assert client.received.get(timeout=60) is None
    assert client.get().headers['x-tun-conf'] == 'FAUYCgAAAg=='


def test_a_new_client_may_come_and_one_that_is_no_more_goes(lab):
    server = tunnel(lab, 'hub', SERVER)
    client = tunnel(lab, 'site', {**CLIENT, 'token': 'foo'})
    client.wait_for('does not know this token')
    hang_up(server, TWO)
    server.wait_event('connected', name='10.0.0.3')
    ping(lab, 'site', '10.0.0.1')
    hang_up(server, SERVER, number=2)
    assert 'does not have it any more' in server.wait_event('disconnected')['reason']
    client.wait_event('disconnected')


def test_another_token_ends_what_the_old_one_began(lab):
    server, client = both(lab)
    hang_up(server, {**SERVER, 'clients': [{'token': HASHES['foo'], 'ip': '10.0.0.2'}]})
    client.wait_event('disconnected')
    client.wait_for('does not know this token')


def test_other_addresses_of_the_server(lab):
    server, client = both(lab)
    hang_up(server, {**SERVER, 'net': '10.0.0.77/24', 'ips': ['10.9.0.1/24']})
    ping(lab, 'site', '10.0.0.77')
    shown = lab.run('hub', 'ip -4 address show tun0')
    assert '10.0.0.1/' not in shown and '10.9.0.1/24' in shown


def test_another_port(lab):
    server, client = both(lab)
    hang_up(server, {**SERVER, 'port': 8081})
    client.wait_event('disconnected')
    hang_up(client, {**CLIENT, 'server': 'http://192.0.2.1:8081/'})
    client.wait_event('connected', number=2)
    ping(lab, 'site', '10.0.0.1')


def test_marks_come_and_go(lab):
    server, client = both(lab)
    hang_up(server, {**SERVER, 'mark': {'value': 77, 'table': 7700}})
    assert 'fwmark 0x4d' in lab.run('hub', 'ip rule list')
    hang_up(server, {**SERVER, 'mark': {'value': 78, 'table': 7800}}, number=2)
    rules = lab.run('hub', 'ip rule list') + lab.run('hub', 'ip -6 rule list')
    assert 'fwmark 0x4d' not in rules and rules.count('fwmark 0x4e lookup 7800') == 2
    hang_up(server, SERVER, number=3)
    assert 'fwmark' not in lab.run('hub', 'ip rule list')
    assert server.events('disconnected') == []


MARK, OTHER_MARK = {'value': 77, 'table': 7700}, {'value': 78, 'table': 7800}


def marks(lab):
    """Which device leads on in the table of which mark, of both families."""
    found = {}
    for family in '-4', '-6':
        rules = lab.run('hub', f'ip {family} rule list')
        for mark, table in re.findall(r'fwmark (\S+) lookup (\S+)', rules):
            routes = lab.run('hub', f'ip {family} route list table {table}')
            device, = re.findall(r'default dev (\S+)', routes)
            found.setdefault(int(mark, 16), []).append(device)
    return found


@pytest.mark.parametrize('one, other', [
    (OTHER_MARK, MARK),  # they change places
    (OTHER_MARK, {'value': 79, 'table': 7900}),
    (OTHER_MARK, None),
    ({'value': 77, 'table': 7800}, {'value': 78, 'table': 7700}),
    ({'value': 78, 'table': 7700}, {'value': 77, 'table': 7800}),
])
def test_marks_go_from_one_to_another(lab, one, other):
    server = tunnel(lab, 'hub', {**SERVER, 'mark': MARK}, {**OTHER, 'mark': OTHER_MARK})
    assert marks(lab) == {77: ['tun0'] * 2, 78: ['tun5'] * 2}
    expected = {one['value']: ['tun0'] * 2}
    if other:
        expected[other['value']] = ['tun5'] * 2
    hang_up(server, {**SERVER, 'mark': one}, {**OTHER, **({'mark': other} if other else {})})
    assert marks(lab) == expected
    assert server.stop() == 0 and marks(lab) == {}


def test_a_mark_goes_to_a_new_interface(lab):
    server = tunnel(lab, 'hub', {**SERVER, 'mark': MARK})
    hang_up(server, {**SERVER, 'mark': OTHER_MARK}, {**OTHER, 'mark': MARK})
    assert marks(lab) == {78: ['tun0'] * 2, 77: ['tun5'] * 2}


@pytest.mark.parametrize('other, said', [
    ({'mark': MARK, 'port': 8090}, 'TCP port 8090 is in use'),
    ({'mark': {'value': 79, 'table': 7900}}, 'on tun5 in table 7900: something else'),
], ids=['port', 'table'])
def test_marks_stay_where_they_cannot_change_places(lab, other, said):
    lab.start('hub', '/usr/bin/python3 -m http.server 8090').wait_for('Serving')
    lab.run('hub', 'ip route add default dev lo table 7900')
    server = tunnel(lab, 'hub', {**SERVER, 'mark': MARK}, {**OTHER, 'mark': OTHER_MARK})
    before = marks(lab)
    rewrite(server, {**SERVER, 'mark': OTHER_MARK}, {**OTHER, **other})
    assert said in reload(lab, check=False) and marks(lab) == before
    hang_up(server, {**SERVER, 'mark': OTHER_MARK}, {**OTHER, 'mark': MARK})
    assert marks(lab) == {78: ['tun0'] * 2, 77: ['tun5'] * 2}


def test_ports_and_networks_change_places(lab):
    server = tunnel(lab, 'hub', {**SERVER, 'net6': 'fd00:0::1/64'},
                    {**OTHER, 'net6': 'fd00:5::1/64'})
    hang_up(server, {**SERVER, 'port': 8085, 'net': '10.5.0.1/24', 'net6': 'fd00:5::1/64',
                     'clients': []},
            {**OTHER, 'port': 8080, 'net': '10.0.0.1/24', 'net6': 'fd00:0::1/64',
             'clients': SERVER['clients']})
    client = tunnel(lab, 'site', CLIENT)
    client.wait_event('connected', address='10.0.0.2/24')
    ping(lab, 'site', '10.0.0.1')
    assert lab.run('hub', 'ip route get 10.0.0.2').split()[2] == 'tun5'
    assert lab.run('hub', 'ip route get fd00:5::2').split()[4] == 'tun0'


def test_interfaces_come_and_go(lab):
    """Though the right to open most things was given up."""
    server, _ = both(lab)
    assert hang_up(server, SERVER, OTHER) == ['tun5 is new']
    assert '10.5.0.1/24' in lab.run('hub', 'ip address show tun5')
    assert hang_up(server, SERVER, number=2) == ['tun5 is no more']
    assert 'tun5' not in lab.run('hub', 'ip link show')
    assert server.events('disconnected') == []


def test_a_client_takes_other_routes(lab):
    tunnel(lab, 'hub', {**SERVER, 'push': ['192.168.7.0/24']})
    client = tunnel(lab, 'site', CLIENT)
    lab.until(lambda: '192.168.7.0/24 dev tun1' in lab.run('site', 'ip route'))
    hang_up(client, {**CLIENT, 'accept_routes': False})
    assert '192.168.7.0' not in lab.run('site', 'ip route')
    assert client.events('disconnected') == []


# ---- what cannot be ----------------------------------------------------------------------


@pytest.mark.parametrize('wrong, said', [
    ([{**SERVER, 'port': 80800}], 'found 80800'),
    ([{**SERVER, 'congestion': 'nv'}], 'no congestion control "nv", but'),
    ([SERVER, {**CLIENT, 'name': 'tun7', 'ca': '/nowhere'}], '/nowhere'),
    ([{**SERVER, 'mtu': 1300}, {**OTHER, 'name': 'tun7', 'port': 8090}],
     'TCP port 8090 is in use'),
    ([{**SERVER, 'clients': [*SERVER['clients'],
                             {**TWO['clients'][1], 'routes': ['10.0.0.2/32']},
                             {'token': hashlib.sha1(b'bar').hexdigest(), 'ip': '10.0.0.4'}]}],
     '10.0.0.2'),
], ids=['invalid', 'congestion', 'ca', 'port', 'claims'])
def test_what_is_wrong_changes_nothing(lab, wrong, said):
    server, client = both(lab)
    lab.start('hub', '/usr/bin/python3 -m http.server 8090').wait_for('Serving')
    rewrite(server, *wrong)
    server.popen.send_signal(signal.SIGHUP)
    server.wait_event('not-reloaded')
    server.says(said)
    refusal = reload(lab, operand=server.popen.pid, check=False)
    assert said in refusal
    assert 'tun7' not in lab.run('hub', 'ip link show')
    assert 'mtu 1400' in lab.run('hub', 'ip link show tun0')
    ping(lab, 'site', '10.0.0.1')
    assert server.events('disconnected') == server.events('reloaded') == []


def test_a_port_of_root_needs_a_restart(lab):
    server, _ = both(lab)
    lab.run('hub', 'sysctl -qw net.ipv4.ip_unprivileged_port_start=1024')
    rewrite(server, {**SERVER, 'port': 81})
    assert 'restart it' in reload(lab, operand=server.popen.pid, check=False)


# ---- weft reload, weft status ------------------------------------------------------------


def test_reload_says_what_it_has_changed(lab):
    server, _ = both(lab)
    client = [process for process in lab.processes if 'tun1' in process.output()][0]
    name = pathlib.Path(server.command.split()[-1]).stem
    rewrite(server, TWO)
    assert reload(lab, operand=name) == 'tun0: client 10.0.0.3 is new\n'
    assert reload(lab, operand=str(server.popen.pid)) == f'{name}: nothing has changed\n'
    assert client.is_running()


def test_reload_of_several_wants_one_named(lab):
    server, client = both(lab)
    assert 'several run: ' in reload(lab, check=False)
    assert 'no program called nobody runs here' in reload(lab, operand='nobody', check=False)
    path = client.command.split()[-1]
    assert 'nothing has changed' in reload(lab, operand=path)


def test_only_tunnels_are_reloaded(lab):
    """A relay on the same machine is not in the way, and is no tunnel itself."""
    relay = p.Weft(lab, 'hub', f'{p.WEFT} relay --json --state /run/relay-{time.monotonic_ns()}')
    lab.processes.append(relay)
    relay.wait_event('listening')
    assert 'no tunnel runs here' in reload(lab, check=False)
    assert f'{relay.popen.pid} is no tunnel' in reload(lab, operand=relay.popen.pid, check=False)


def test_reload_without_any(lab):
    assert 'no tunnel runs here' in reload(lab, check=False)


def test_status(lab):
    server, client = both(lab)
    shown = lab.run('hub', f'{p.WEFT} status')
    assert re.search(r'tun0, server\n +10.0.0.2 +192.0.2.2, in ', shown), shown
    assert re.search(r'tun1, client\n', shown), shown
    lines = lab.run('hub', f'{p.WEFT} status --json {client.popen.pid}').splitlines()
    status, = map(json.loads, lines)
    assert status['event'] == 'status' and status['pid'] == client.popen.pid
    assert status['facts']['interfaces'][0]['peers'][0]['connected'] is True
    server.stop()
    client.stop()
    assert 'nothing of weft runs here' in lab.run('hub', f'{p.WEFT} status', check=False)


def test_status_of_a_service_that_is_a_user_of_its_own(lab):
    """As weft-relay.service is: the environment says where it keeps what; root finds it there."""
    made = {'STATE_DIRECTORY': pathlib.Path(f'{lab.directory}/state'),
            'RUNTIME_DIRECTORY': pathlib.Path(f'/run/weft-{os.getpid()}')}
    for path in made.values():
        path.mkdir()
        os.chown(path, 61184, 61184)
    relay = p.Weft(lab, 'hub', f'setpriv --reuid 61184 --regid 61184 --clear-groups {p.WEFT} relay '
                               '--json --listen 5000 --public 192.0.2.1 --room friday',
                   env={name: str(path) for name, path in made.items()})
    lab.processes.append(relay)
    relay.wait_event('invitation')
    assert [path.stat().st_uid for path in made['STATE_DIRECTORY'].iterdir()] != []
    assert 'weft relay' in lab.run('hub', f'{p.WEFT} status {relay.popen.pid}')
    assert relay.stop() == 0
    shutil.rmtree(made['RUNTIME_DIRECTORY'])  # as systemd does


def test_a_socket_that_a_crash_has_left_is_removed(lab):
    server, client = both(lab)
    server.stop(signal.SIGKILL)
    client.stop()
    sockets = pathlib.Path('/run/weft').glob('*.control')
    assert [str(server.popen.pid) in path.name for path in sockets] == [True]
    lab.run('hub', f'{p.WEFT} status', check=False)
    assert list(pathlib.Path('/run/weft').glob('*.control')) == []


def test_strangers_are_not_listened_to(lab):
    server, _ = both(lab)
    path = next(pathlib.Path('/run/weft').glob(f'*-{server.popen.pid}.control'))
    program = pathlib.Path(f'{lab.directory}/ask.py')
    program.write_text('import socket\ns = socket.socket(socket.AF_UNIX)\n'
                       f's.settimeout(60)\ns.connect("{path}")\n'
                       """try:\n    s.sendall(b'{"do":"status"}\\n')\n"""
                       '    print(len(s.recv(100)))\nexcept OSError:\n    print(0)\n')
    for directory in ('/run/weft', lab.directory):
        os.chmod(directory, 0o755)
    os.chmod(path, 0o666)
    said = lab.run('hub', f'setpriv --reuid=65534 --clear-groups /usr/bin/python3 {program}')
    os.chmod('/run/weft', 0o700)
    assert said == '0\n'


def test_nonsense_is_answered_and_ends_nothing(lab):
    server, _ = both(lab)
    path = next(pathlib.Path('/run/weft').glob(f'*-{server.popen.pid}.control'))
    with sockets.socket(sockets.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(path))
        file = s.makefile('r')
        for line in (b'\n', b'{}\n', b'[1]\n', b'{"do":"dance"}\n', b'{"do":"reload"}\n',
                     b'{"do":"reload","text":"["}\n'):
            s.sendall(line)
            assert json.loads(file.readline())['ok'] is False
        s.sendall(b'{"do":"status"}\n')
        assert json.loads(file.readline())['ok'] is True
    with sockets.socket(sockets.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(path))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(200):
                s.sendall(b'x' * 65536)
    ping(lab, 'site', '10.0.0.1')


# ---- the end -----------------------------------------------------------------------------


def test_a_restart_of_the_server_is_hardly_noticed(lab):
    servers = [tunnel(lab, 'hub', SERVER)]
    client = tunnel(lab, 'site', CLIENT)
    client.wait_event('connected')

    def restart():
        time.sleep(1.1)  # what ends within a second is not begun again at once
        assert servers[-1].stop() == 0
        servers.append(tunnel(lab, 'hub', SERVER))
        began = time.monotonic()
        client.wait_event('connected', number=len(servers))
        return time.monotonic() - began
    # Where it does not know why, a client waits for three seconds and more.
    assert netlab.is_ever_within(2.5, restart)
    assert 'come to its end' in client.events('disconnected')[0]['reason']


def test_hanging_up_on_a_one_liner_ends_it(lab):
    token = pathlib.Path(f'{lab.directory}/token')
    token.write_text('test')
    token.chmod(0o600)
    process = p.Weft(lab, 'site', f'{p.WEFT} tunnel client --json --token-file {token} '
                                  'http://192.0.2.1:8080/', env={'TERM': 'dumb'})
    lab.processes.append(process)
    process.wait_event('ready')
    assert process.stop(signal.SIGHUP) == 0

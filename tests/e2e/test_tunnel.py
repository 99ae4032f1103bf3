# SPDX-License-Identifier: MIT
"""weft tunnel: two of our ends, and each of ours against tools/tapotun.py.

    hub ------------ 192.0.2.0/30 ------------ site          two ends of ours
    tun0 10.0.0.1/24 === HTTP, port 8080 === tun1 10.0.0.2

    hub alone: tun0 10.0.0.1 === 127.0.0.1 === the test plays the other end
"""
import http.client
import itertools
import json
import pathlib
import re
import signal
import socket
import struct
import time

import pytest

import netlab
import party as p
import tapotun
from tunnels import (CLIENT, HASHES, SERVER, TWO, both, facts_at_end, iperf,
                     lab, ping, tunnel)

LOCAL = 'http://127.0.0.1:8080/'


# ---- two of ours -------------------------------------------------------------------------


def test_two_ends(lab):
    server, client = both(lab)
    ping(lab, 'site', '10.0.0.1')
    ping(lab, 'hub', '10.0.0.2')
    assert 'mtu 1400' in lab.run('hub', 'ip link show tun0')
    assert 'mtu 1400' in lab.run('site', 'ip link show tun1')
    assert client.stop() == 0 and server.stop() == 0


def test_further_addresses(lab):
    tunnel(lab, 'hub', {**SERVER, 'ips': ['10.9.0.1/24']})
    shown = lab.run('hub', 'ip -4 address show tun0')
    assert 'inet 10.0.0.1/24' in shown and 'inet 10.9.0.1/24' in shown


def test_a_pinned_source_goes_through_its_client(lab):
    """What comes from 192.168.7.7 and is for nobody else leaves through 10.0.0.2."""
    pinned = {**SERVER['clients'][0], 'sources': ['192.168.7.7/32']}
    server = tunnel(lab, None, {**SERVER, 'clients': [pinned], 'mark': {'value': 5, 'table': 500}})
    lab.run(None, 'ip address add 192.168.7.7/32 dev lo')
    client = play()
    try:
        lab.run(None, 'ping -c1 -W1 -m5 -I 192.168.7.7 203.0.113.9', check=False)
    finally:
        lab.run(None, 'ip address del 192.168.7.7/32 dev lo')
    packet = until_packet(client, lambda packet: packet[9] == 1)
    assert packet[12:20] == bytes([192, 168, 7, 7, 203, 0, 113, 9])
    assert server.stop() == 0


@pytest.mark.parametrize('reverse', [False, True], ids=['up', 'down'])
def test_super_frames_travel_whole(lab, reverse):
    for host in ('hub', 'site'):
        # However slow this machine is: a kernel makes small segments where few would pass in 1 ms.
        lab.run(host, 'sysctl -qw net.ipv4.tcp_min_tso_segs=8')
    server, _ = both(lab)
    assert netlab.is_ever_over(1e6, lambda: iperf(lab, reverse))
    peer = facts_at_end(server)['peers'][0]
    way = 'tx' if reverse else 'rx'
    assert peer[f'{way}_bytes'] / peer[f'{way}_packets'] > 3 * 1400
    assert peer['rx_bad'] == peer['broken'] == 0


def test_a_killed_server_is_found_again(lab):
    server, client = both(lab)
    server.stop(signal.SIGKILL)
    client.wait_event('disconnected')
    again = tunnel(lab, 'hub', SERVER)
    again.wait_event('connected')
    ping(lab, 'site', '10.0.0.1')


def test_a_killed_client_comes_back(lab):
    server, client = both(lab)
    client.stop(signal.SIGKILL)
    server.wait_event('disconnected')
    tunnel(lab, 'site', CLIENT)
    server.wait_event('connected', number=2)
    ping(lab, 'hub', '10.0.0.2')


def test_a_cut_connection_is_made_again(lab):
    """The kernel forgets the sockets of both streams, under load."""
    server, client = both(lab)
    flood = lab.start('site', 'ping -f -s 1300 10.0.0.1')
    lab.run('site', 'ss -K dst 192.0.2.1 dport = 8080')
    client.wait_event('disconnected')
    client.wait_event('connected', number=2)
    flood.stop(signal.SIGINT)
    ping(lab, 'site', '10.0.0.1')
    peer = facts_at_end(server)['peers'][0]
    assert peer['broken'] == 0


def test_server_and_client_in_one_file(lab):
    """hub is a server for site, and a client of site's second interface."""
    back = {'name': 'tun8', 'port': 8081, 'net': '10.8.0.1/24',
            'clients': [{'token': HASHES['foo'], 'ip': '10.8.0.2'}]}
    forth = {'name': 'tun9', 'server': 'http://192.0.2.2:8081/', 'token': 'foo'}
    tunnel(lab, 'hub', SERVER, forth)
    tunnel(lab, 'site', back, CLIENT)
    ping(lab, 'site', '10.0.0.1')
    ping(lab, 'hub', '10.8.0.1')


def test_mark_is_set_and_undone(lab):
    marked = {**SERVER, 'mark': {'value': 77, 'table': 7700}}
    server = tunnel(lab, 'hub', marked)
    assert 'fwmark 0x4d lookup 7700' in lab.run('hub', 'ip rule list')
    assert 'default dev tun0' in lab.run('hub', 'ip route show table 7700')
    assert server.stop() == 0
    assert 'fwmark' not in lab.run('hub', 'ip rule list')


def test_mark_is_undone_after_a_crash(lab):
    """The rules of both families, and no others."""
    both_families = {**SERVER, 'net6': 'fd00::1/64'}
    marked = {**both_families, 'mark': {'value': 77, 'table': 7700}}
    commands = [f'ip {family} rule list' for family in ('-4', '-6')]
    before = [lab.run('hub', command) for command in commands]
    tunnel(lab, 'hub', marked).stop(signal.SIGKILL)
    for command in commands:
        assert 'fwmark 0x4d lookup 7700' in lab.run('hub', command)
    assert tunnel(lab, 'hub', both_families).stop() == 0
    assert [lab.run('hub', command) for command in commands] == before


def test_rights_are_given_up(lab):
    """Both ends keep CAP_NET_ADMIN, for what is undone at the end, and nothing else."""
    for process in both(lab):
        with open(f'/proc/{process.popen.pid}/status') as status:
            facts = dict(line.rstrip('\n').split(':\t', 1) for line in status)
        assert facts['Name'] == 'weft' and facts['NoNewPrivs'] == '1'
        for capabilities in ('CapEff', 'CapPrm', 'CapBnd'):
            assert int(facts[capabilities], 16) & ~(1 << 12) == 0, capabilities


def test_an_interface_removed_under_us(lab):
    """It is made anew, at a server and at a client, and no stream of theirs is."""
    server, client = both(lab, {**SERVER, 'mark': {'value': 7, 'table': 70}},
                          {**CLIENT, 'mark': {'value': 9, 'table': 90}})
    ping(lab, 'site', '10.0.0.1')
    lab.run('hub', 'ip link delete tun0')
    assert server.wait_event('lost')['interface'] == 'tun0'
    server.wait_event('restored')
    ping(lab, 'site', '10.0.0.1')
    lab.run('site', 'ip link delete tun1')
    client.wait_event('restored')
    ping(lab, 'hub', '10.0.0.2')
    assert not server.events('disconnected') and not client.events('disconnected')
    for host, process in (('hub', server), ('site', client)):
        assert lab.run(host, 'ip rule list').count('fwmark') == 1
        assert process.stop() == 0
        assert 'fwmark' not in lab.run(host, 'ip rule list')
        assert 'tun' not in lab.run(host, 'ip link show')


def test_an_interface_removed_beside_another(lab):
    """Who else is in the file goes on; what has its name for now has to go first."""
    other = {**SERVER, 'name': 'tun5', 'port': 8081, 'net': '10.5.0.1/24',
             'clients': [{**SERVER['clients'][0], 'ip': '10.5.0.2'}]}
    server = tunnel(lab, 'hub', SERVER, other)
    client = tunnel(lab, 'site', {**CLIENT, 'name': 'tun6', 'server': 'http://192.0.2.1:8081/'})
    ping(lab, 'site', '10.5.0.1')
    beside = lab.start('site', 'ping -i 0.1 -W 60 10.5.0.1')
    server.popen.send_signal(signal.SIGSTOP)  # it is not to be quicker than we are
    lab.run('hub', 'ip link delete tun0')
    lab.run('hub', 'ip link add tun0 type bridge')
    server.popen.send_signal(signal.SIGCONT)
    server.wait_event('lost')
    server.says('tun0 cannot be made anew')
    lab.run('hub', 'ip link delete tun0')
    server.wait_event('restored')
    assert 'inet 10.0.0.1/' in lab.run('hub', 'ip address show tun0')
    beside.stop(signal.SIGINT)
    sent = int(re.search(r'(\d+) packets transmitted', beside.output())[1])
    # The last one may have been on its way.
    assert netlab.missing_answers(beside.output(), sent - 1) == []
    assert not client.events('disconnected')


def test_a_port_in_use_says_so(lab):
    tunnel(lab, 'hub', SERVER)
    path = pathlib.Path(f'{lab.directory}/second.json')
    path.write_text(json.dumps([{**SERVER, 'name': 'tun5'}]))
    path.chmod(0o600)
    second = lab.run('hub', f'{p.WEFT} tunnel {path}', check=False)
    assert 'TCP port 8080 is in use' in second
    assert 'tun5' not in lab.run('hub', 'ip link show')


# ---- our server, another client ----------------------------------------------------------


def play(token='test'):
    """A client of the other kind, connected both ways."""
    client = tapotun.Client(LOCAL, token)
    client.response = client.get()
    assert client.response.status == 200
    client.put()
    return client


def until_packet(client, wanted):
    for packet in client.packets():
        if wanted(packet):
            return packet
    raise AssertionError('the stream ended')


def is_reply(number):
    return lambda packet: packet[9] == 1 and packet[20] == 0 and \
        struct.unpack('!H', packet[26:28])[0] == number


def test_server_speaks_the_format(lab):
    tunnel(lab, None, SERVER)
    client = play()
    assert client.response.headers['x-tun-conf'] == 'eAUYCgAAAg=='
    assert client.response.headers['Transfer-Encoding'] == 'chunked'
    client.send(tapotun.PING + tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 5)))
    reply = until_packet(client, is_reply(5))
    assert reply[12:16] == bytes([10, 0, 0, 1]) and reply.endswith(b'tapotun')
    assert client.end() == (200, b'OK')


def test_kernel_reaches_another_client(lab):
    """As a program, it answers what it is asked."""
    server = tunnel(lab, None, SERVER)
    other = lab.start(None, f'python3 {p.ROOT}/tools/tapotun.py client {LOCAL} test')
    other.wait_for('conf 1400 24 10.0.0.2')
    server.wait_event('connected')
    ping(lab, None, '10.0.0.2')


def test_records_may_come_in_any_pieces(lab):
    tunnel(lab, None, SERVER)
    client = play()
    for number in (1, 2):
        for byte in tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', number)):
            client.send(bytes([byte]))
        until_packet(client, is_reply(number))


def test_no_byte_is_lost_where_an_upload_begins(lab):
    """The server leaves the upload's head to its library and reads the rest itself."""
    tunnel(lab, None, SERVER)
    for number in range(1, 201):
        client = play()
        for byte in tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', number)):
            client.send(bytes([byte]))
        until_packet(client, is_reply(number))
        client.upload.close()


def test_an_upload_that_ends_in_a_record_leaves_nothing_behind(lab):
    tunnel(lab, None, SERVER)
    client = play()
    record = tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 9))
    for cut in (1, 2, 13, 14, 15, len(record) - 1):
        client.send(record[:cut])
        client.upload.close()
        client.put()
        client.send(record[:-1] + record[-1:])
        until_packet(client, is_reply(9))


def test_a_second_get_takes_over(lab):
    server = tunnel(lab, None, SERVER)
    first = play()
    second = play()
    server.wait_event('connected', number=2)
    rest = []
    while (one := first.received.get(timeout=60)) is not None:
        rest.append(one)
    second.send(tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 6)))
    until_packet(second, is_reply(6))
    assert server.events('disconnected') == []


def test_a_short_visit_is_warned_of(lab):
    server = tunnel(lab, None, SERVER)
    other = lab.start(None, f'python3 {p.ROOT}/tools/tapotun.py client {LOCAL} test')
    other.wait_for('ready')
    other.stop(signal.SIGKILL)
    server.wait_for(r'10.0.0.2 was connected for \d+ s only')


def test_other_methods_are_get(lab):
    tunnel(lab, None, SERVER)
    connection = http.client.HTTPConnection('127.0.0.1', 8080, timeout=60)
    connection.request('OPTIONS', '/', headers={'x-api-key': 'test'})
    assert connection.getresponse().headers['x-tun-conf'] == 'eAUYCgAAAg=='


@pytest.mark.parametrize('headers', [{}, {'x-api-key': 'wrong'}, {'x-api-key': HASHES['test']}],
                         ids=['none', 'wrong', 'hash'])
@pytest.mark.parametrize('method', ['GET', 'PUT'])
def test_a_wrong_token_is_forbidden(lab, method, headers):
    server = tunnel(lab, None, SERVER)
    connection = http.client.HTTPConnection('127.0.0.1', 8080, timeout=60)
    connection.request(method, '/', headers=headers)
    response = connection.getresponse()
    assert (response.status, response.read()) == (403, b'Forbidden')
    server.wait_event('refused', address='127.0.0.1')
    assert server.is_running()


def status_of(token, forwarded):
    connection = http.client.HTTPConnection('127.0.0.1', 8080, timeout=60)
    connection.request('GET', '/', headers={'x-api-key': token, 'X-Forwarded-For': forwarded})
    status = connection.getresponse().status
    connection.close()
    return status


def test_many_wrong_tokens_silence_their_address_alone(lab):
    tunnel(lab, None, SERVER)
    for number in range(12):
        assert status_of(f'guess {number}', '1.2.3.4, 198.51.100.9') == 403
    assert status_of('test', '198.51.100.9') == 403
    assert status_of('test', '198.51.100.8') == 200


def rss(process):
    """In KiB."""
    text = pathlib.Path(f'/proc/{process.popen.pid}/status').read_text()
    return int(text.split('VmRSS:')[1].split()[0])


def test_thousands_of_wrong_tokens_from_as_many_addresses(lab):
    """They are counted, and neither fill the memory, nor the journal, nor are in others' way."""
    server = tunnel(lab, None, SERVER)
    client = play()
    begin = time.monotonic()

    def guess(first, count):
        for number in range(first, first + count):
            address = f'198.18.{number // 250}.{number % 250 + 1}'
            assert status_of(f'guess {number}', address) == 403

    guess(0, 1200)  # more than are remembered
    memory = rss(server)
    guess(1200, 2000)
    assert rss(server) - memory < 1024
    client.send(tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 5)))
    assert until_packet(client, is_reply(5))

    def all_told():
        more = sum(event['count'] for event in server.events('refused-more'))
        return len(server.events('refused')) + more == 3200
    lab.until(all_told, 3 * netlab.PATIENCE)
    minutes = (time.monotonic() - begin) // 60 + 1
    assert len(server.events('refused')) <= 10 * minutes
    assert server.events('disconnected') == []
    assert facts_at_end(server)['refused'] == 3200


def test_clients_reach_each_other_and_not_under_another_name(lab):
    server = tunnel(lab, None, TWO)
    one, two = play('test'), play('foo')
    one.send(tapotun.record(tapotun.echo_request('10.0.0.9', '10.0.0.3', 1)) +
             tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.3', 2)))
    packet = until_packet(two, lambda packet: packet[9] == 1)
    assert packet[12:20] == bytes([10, 0, 0, 2, 10, 0, 0, 3])
    assert facts_at_end(server)['packets']['drop-spoofed'] >= 1


def test_a_large_packet_of_another_client(lab):
    tunnel(lab, None, SERVER)
    client = play()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(('10.0.0.1', 9000))
        receiver.settimeout(60)
        udp = struct.pack('!HHHH', 9, 9000, 8 + 1000, 0) + bytes(1000)
        packet = tapotun.ip4('10.0.0.2', '10.0.0.1', 17, udp)
        client.send(tapotun.record(packet))
        assert receiver.recv(2000) == bytes(1000)


def test_garbage_ends_the_stream_and_nothing_else(lab):
    server = tunnel(lab, None, SERVER)
    client = play()
    client.send(b'\x01\x00' + bytes(100))
    with pytest.raises((OSError, http.client.HTTPException)):
        while True:
            client.send(bytes(1000))
            time.sleep(0.05)
    client.put()
    client.send(tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 3)))
    until_packet(client, is_reply(3))
    assert facts_at_end(server)['peers'][0]['broken'] == 1


# ---- our client, another server ----------------------------------------------------------


@pytest.fixture
def other(lab):
    server = tapotun.Server(8090, 'test', '10.0.0.2', 24, 1300, host='127.0.0.1')
    yield server
    server.sent.put(b'')
    server.http.shutdown()
    server.http.server_close()


HERE = {'name': 'tun1', 'server': 'http://127.0.0.1:8090/', 'token': 'test'}


def test_client_speaks_the_format(lab, other):
    client = tunnel(lab, None, HERE)
    client.wait_event('connected', address='10.0.0.2/24')
    assert 'mtu 1300' in lab.run(None, 'ip link show tun1')
    assert {other.seen.get(timeout=60), other.seen.get(timeout=60)} == {'GET', 'PUT'}
    other.sent.put(tapotun.PING + tapotun.record(tapotun.echo_request('10.0.0.1', '10.0.0.2', 4)))
    for packet in other.packets(timeout=60):
        if is_reply(4)(packet):
            break
    assert packet[12:16] == bytes([10, 0, 0, 2])


def test_client_comes_back_at_once_after_a_regular_end(lab, other):
    client = tunnel(lab, None, HERE)
    client.wait_event('connected')
    rounds = itertools.count(2)

    def end():
        time.sleep(1.1)  # what ends within a second is not begun again at once
        half = tapotun.record(tapotun.echo_request('10.0.0.1', '10.0.0.2', 1))[:20]
        other.sent.put(half)
        other.sent.put(b'')
        began = time.monotonic()
        client.wait_event('connected', number=next(rounds))
        return time.monotonic() - began
    assert netlab.is_ever_within(2.5, end)
    other.sent.put(tapotun.record(tapotun.echo_request('10.0.0.1', '10.0.0.2', 2)))
    for packet in other.packets(timeout=60):
        if is_reply(2)(packet):
            return


def test_client_says_that_its_token_is_not_known(lab, other):
    client = tunnel(lab, None, {**HERE, 'token': 'wrong'})
    client.wait_for('does not know this token; trying again')
    assert client.stop() == 0

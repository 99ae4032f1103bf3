# SPDX-License-Identifier: MIT
"""weft tunnel through what wears it down: the same again and again, many at once, paths that
die by halves. It always is back by itself, and nothing of it stays in memory or open.

    hub ------------ 192.0.2.0/30 ------------ site          two ends of ours
    tun0 10.0.0.1/24 === HTTP, port 8080 === tun1 10.0.0.2

    one machine: weft tunnel === 127.0.0.1:8080 === the test, or a proxy that it plays
"""
import http.client
import os
import pathlib
import random
import signal
import socket
import threading
import time

import netlab
import party as p
import tapotun
import tunnels as t
from tunnels import lab

HERE = {'name': 'tun1', 'server': 'http://127.0.0.1:8080/', 'token': 'test'}
SEED = 20261121


def status_of(process, name):
    text = pathlib.Path(f'/proc/{process.popen.pid}/status').read_text()
    return int(text.split(f'{name}:')[1].split()[0])


def descriptors(process):
    return len(os.listdir(f'/proc/{process.popen.pid}/fd'))


def settles_at(lab, process, most):
    """The descriptors of what has ended are closed."""
    def settled():
        return descriptors(process) <= most
    settled.__doc__ = f'{process.command} to have {most} descriptors at most'
    lab.until(settled)


def raw_get(*headers, token='test'):
    """Returns the socket of a GET, and its status."""
    connection = socket.create_connection(('127.0.0.1', 8080), timeout=60)
    connection.sendall('\r\n'.join(['GET / HTTP/1.1', 'Host: x', f'x-api-key: {token}',
                                    *headers, '', '']).encode())
    return connection, int(connection.recv(4096).split()[1])


# ---- cut, again and again ----------------------------------------------------------------

def echoed(client, number):
    """Whether a ping through the tunnel is answered; what is older is passed over."""
    client.send(tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', number)))
    while (one := client.received.get(timeout=60)) is not None:
        _, packet = one
        if packet and packet[9] == 1 and packet[20] == 0 and \
                packet[26:28] == number.to_bytes(2, 'big'):
            return True
    return False


def test_an_upload_cut_at_every_offset_of_a_record(lab):
    """Each time another connection goes on, and the next packet is answered."""
    server = t.tunnel(lab, None, t.SERVER)
    client = tapotun.Client('http://127.0.0.1:8080/', 'test')
    assert client.get().status == 200
    record = tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 9999))
    for cut in range(1, len(record)):
        client.put()
        client.send(record[:cut])
        client.upload.sock.close()
        client.put()
        assert echoed(client, cut)
    peer = t.facts_at_end(server)['peers'][0]
    assert (peer['broken'], peer['rx_bad']) == (0, 0)


def test_a_download_cut_at_every_offset_of_a_record(lab):
    """Whoever comes after it begins with a whole record."""
    server = t.tunnel(lab, None, t.SERVER)
    length = len(tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 1)))
    for cut in range(1, length):
        first = http.client.HTTPConnection('127.0.0.1', 8080, timeout=60)
        first.request('GET', '/', headers={'x-api-key': 'test'})
        response = first.getresponse()
        upload = tapotun.Client('http://127.0.0.1:8080/', 'test')
        upload.put()
        upload.send(tapotun.record(tapotun.echo_request('10.0.0.2', '10.0.0.1', 1)))
        assert len(response.read(cut)) == cut
        first.sock and first.sock.close()
        response.close()
        upload.get()
        assert echoed(upload, cut)
        upload.upload.sock.close()
    assert t.facts_at_end(server)['peers'][0]['rx_bad'] == 0


def test_a_hundred_visits_leave_nothing_behind(lab):
    server = t.tunnel(lab, None, t.SERVER)

    def visit(number):
        """Takes over from the one before, whose download ends with that."""
        client = tapotun.Client('http://127.0.0.1:8080/', 'test')
        assert client.get().status == 200
        client.put()
        assert echoed(client, number)
        if number % 2:
            client.upload.sock.shutdown(socket.SHUT_RDWR)
        else:
            assert client.end() == (200, b'OK')
        client.upload.close()
    for number in range(1, 20):
        visit(number)
    before, memory = descriptors(server), status_of(server, 'VmRSS')
    for number in range(20, 120):
        visit(number)
    settles_at(lab, server, before)
    assert status_of(server, 'VmRSS') - memory < 2048


def test_a_client_that_connects_a_hundred_times_is_as_small_as_before(lab):
    """Another header in its configuration has it connect anew, with all that belongs to it."""
    t.tunnel(lab, 'hub', t.SERVER)
    client = t.tunnel(lab, 'site', t.CLIENT)

    def anew(number):
        t.hang_up(client, {**t.CLIENT, 'headers': {'x-number': str(number)}}, number=number)
        client.wait_event('connected', number=number + 1)
    client.wait_event('connected')
    for number in range(1, 11):
        anew(number)
    before, memory = descriptors(client), status_of(client, 'VmRSS')
    for number in range(11, 111):
        anew(number)
    t.ping(lab, 'site', '10.0.0.1')
    settles_at(lab, client, before)
    assert status_of(client, 'VmRSS') - memory < 2048


# ---- many at once ------------------------------------------------------------------------

def test_two_clients_with_one_token_take_turns_and_harm_nobody(lab):
    """The server lasts, the third one notices nothing, and who stays has it for itself."""
    lab.host('far')
    lab.cable('hub', 'far', '192.0.2.5/30', '192.0.2.6/30')
    there = {**t.CLIENT, 'server': 'http://192.0.2.5:8080/'}
    server = t.tunnel(lab, 'hub', t.TWO)
    third = t.tunnel(lab, 'far', {**there, 'name': 'tun3', 'token': 'foo'})
    third.wait_event('connected')
    one = t.tunnel(lab, 'site', t.CLIENT)
    before = descriptors(server)
    other = t.tunnel(lab, 'far', there)
    one.wait_event('connected', number=3, seconds=120)
    other.wait_event('connected', number=2, seconds=120)
    assert descriptors(server) <= before + 8
    assert third.events('disconnected') == []
    assert other.stop() == 0
    settles_at(lab, server, before)
    t.ping(lab, 'hub', '10.0.0.2')
    assert len(one.events('connected')) < 200, 'turns are not taken without a pause'


def test_a_flood_of_connections_leaves_room_for_clients(lab):
    """One address may have 256 beside those of all clients; the tunnels of another go on."""
    server = t.tunnel(lab, 'hub', t.TWO)
    client = t.tunnel(lab, 'site', t.CLIENT)
    client.wait_event('connected')
    t.ping(lab, 'site', '10.0.0.1')  # both its streams are there
    before = descriptors(server)
    flood = lab.start('hub', 'python3 -c "import socket, time\n'
                      'held = []\n'
                      'for n in range(900):\n'
                      '    try:\n'
                      '        s = socket.create_connection((\'127.0.0.1\', 8080), timeout=1)\n'
                      '        s.sendall(b\'GET / HTTP/1.1\\r\\n\')\n'
                      '        held.append(s)\n'
                      '    except OSError:\n'
                      '        pass\n'
                      'print(\'flooded\', flush=True)\n'
                      'time.sleep(600)"')
    flood.wait_for('flooded', seconds=120)

    def is_bounded():
        """those that are one too many to be refused"""
        return descriptors(server) - before <= 256 + 2 * 16
    lab.until(is_bounded)
    t.ping(lab, 'site', '10.0.0.1')
    second = t.tunnel(lab, 'site', {**t.CLIENT, 'name': 'tun2', 'token': 'foo'})
    second.wait_event('connected')
    assert client.events('disconnected') == []
    second.stop()
    flood.stop()
    settles_at(lab, server, before)


def garbage(rng):
    """What is no HTTP, or no more than its beginning."""
    kind = rng.randrange(6)
    noise = rng.randbytes(rng.randrange(1, 3000))
    if kind == 0:
        return noise
    if kind == 1:
        return b'GET / HTTP/1.1\r\nx-api-key: ' + noise + b'\r\n\r\n'
    if kind == 2:
        return (b'PUT / HTTP/1.1\r\nHost: x\r\nx-api-key: test\r\n'
                b'Transfer-Encoding: chunked\r\n\r\n') + noise
    if kind == 3:
        return b'GET / HTTP/1.1\r\n' + b'x: y\r\n' * rng.randrange(5000)
    if kind == 4:
        return (b'PUT / HTTP/1.1\r\nHost: x\r\nx-api-key: test\r\n'
                b'Content-Length: 18446744073709551616\r\n\r\n') + noise
    return (b'PUT / HTTP/1.1\r\nHost: x\r\nx-api-key: test\r\nTransfer-Encoding: chunked\r\n'
            b'Transfer-Encoding: identity\r\n\r\nffffffffffffffffff\r\n') + noise


def test_garbage_is_survived(lab):
    server = t.tunnel(lab, None, t.SERVER)
    print(f'seed {SEED}')
    rng = random.Random(SEED)
    before = descriptors(server)
    for _ in range(300):
        with socket.create_connection(('127.0.0.1', 8080), timeout=60) as connection:
            try:
                connection.sendall(garbage(rng))
                connection.settimeout(0.02)
                connection.recv(4096)
            except OSError:
                pass
    settles_at(lab, server, before)
    assert server.is_running()
    client = t.tunnel(lab, None, HERE)
    client.wait_event('connected')


def test_a_second_line_of_forwarded_for_is_the_proxys(lab):
    """A proxy may add a line instead of a word: what the client made up stands before it."""
    t.tunnel(lab, None, t.SERVER)
    for number in range(12):
        connection, status = raw_get(f'X-Forwarded-For: 203.0.113.{number}',
                                     'X-Forwarded-For: 198.51.100.9', token='guess')
        connection.close()
        assert status == 403
    for last, expected in (('198.51.100.9', 403), ('198.51.100.8', 200)):
        connection, status = raw_get('X-Forwarded-For: 203.0.113.99',
                                     f'X-Forwarded-For: {last}')
        connection.close()
        assert status == expected


# ---- paths that die by halves ------------------------------------------------------------

class Swallower:
    """A proxy that, when told to, goes on taking an upload and passes nothing of it on."""

    def __init__(self, port, server):
        self.server, self.uploads, self.swallows = server, 0, False
        self.socket = socket.create_server(('127.0.0.1', port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.socket.accept()
            server = socket.create_connection(self.server)
            head = client.recv(65536)
            server.sendall(head)
            number = 0
            if head.startswith(b'PUT'):
                self.uploads += 1
                number = self.uploads
            for one in ((client, server, number), (server, client, 0)):
                threading.Thread(target=self.copy, args=one, daemon=True).start()

    def copy(self, source, sink, number):
        """number: which upload it is; the first is the one that is swallowed."""
        try:
            while data := source.recv(65536):
                if not (number == 1 and self.swallows):
                    sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_an_upload_that_leads_nowhere_is_made_anew(lab):
    """The download is healthy all the time: only answers that do not come show it."""
    server = t.tunnel(lab, None, t.SERVER)
    proxy = Swallower(8081, ('127.0.0.1', 8080))
    client = t.tunnel(lab, None, {**HERE, 'server': 'http://127.0.0.1:8081/'})
    client.wait_event('connected')
    lab.until(lambda: proxy.uploads == 1)
    proxy.swallows = True
    lab.until(lambda: proxy.uploads == 2, seconds=300)
    assert client.events('disconnected') == []
    time.sleep(12)
    assert proxy.uploads == 2, 'a good one is left alone'
    assert client.is_running() and server.is_running()


def test_a_server_that_vanishes_without_a_word(lab):
    """Its machine is cut off, killed and started anew: old connections are half open here."""
    server, client = t.both(lab)
    t.ping(lab, 'site', '10.0.0.1')
    lab.run('hub', 'ip link set eth-site down')
    server.popen.send_signal(signal.SIGKILL)
    server.popen.wait()
    t.tunnel(lab, 'hub', t.SERVER)
    lab.run('hub', 'ip link set eth-site up')
    t.ping(lab, 'site', '10.0.0.1', seconds=120)
    assert client.is_running()


def test_a_client_that_vanishes_without_a_word(lab):
    """Its machine is cut off: what it does not acknowledge for 60 s costs it its streams here."""
    server, client = t.both(lab)
    t.ping(lab, 'site', '10.0.0.1')
    lab.run('site', 'ip link set eth-hub down')
    lab.start('hub', 'ping -i0.5 10.0.0.2')
    gone = server.wait_event('disconnected', seconds=300)
    assert gone['name'] == '10.0.0.2'
    assert 'away' in lab.run('hub', f'{p.WEFT} status {server.popen.pid}')

    def upload_is_gone():
        return lab.run('hub', 'ss -Htn state established sport = 8080') == ''
    lab.until(upload_is_gone, seconds=300)
    lab.run('site', 'ip link set eth-hub up')
    t.ping(lab, 'site', '10.0.0.1', seconds=120)
    assert client.is_running()


def test_a_path_that_is_back_soon_keeps_its_streams(lab):
    _, client = t.both(lab)
    t.ping(lab, 'site', '10.0.0.1')
    lab.run('hub', 'ip link set eth-site down')
    time.sleep(6)
    lab.run('hub', 'ip link set eth-site up')
    t.ping(lab, 'site', '10.0.0.1', seconds=120)
    assert client.events('disconnected') == []



# SPDX-License-Identifier: MIT
"""weft tunnel where something on the way, or at the other end, goes wrong: it says what, harms
nobody else, and comes back by itself.

    hub ------------ 192.0.2.0/30 ------------ site          two ends of ours
    tun0 10.0.0.1/24 === HTTP, port 8080 === tun1 10.0.0.2

    one machine: weft tunnel === 127.0.0.1:8080 === the test plays what is on the way
"""
import http.client
import socket
import threading

import pytest

import tunnels as t
from tunnels import lab

HERE = {'name': 'tun1', 'server': 'http://127.0.0.1:8080/', 'token': 'test'}


def begin(serve, *connections):
    """In a thread, which ends when one of the connections does."""
    def run():
        try:
            serve(*connections)
        except OSError:
            pass
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


class Listener:
    """Gives each connection to serve(connection), in a thread of its own, until close."""

    def __init__(self, port, serve):
        self.connections, self.serve = [], serve
        self.socket = socket.create_server(('127.0.0.1', port))
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            begin(self.serve, connection)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        for connection in self.connections:
            try:  # close alone is not heard while another thread reads from it
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()


def saying(answer):
    def serve(connection):
        connection.recv(65536)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)
    return serve


def head(status, *lines):
    return '\r\n'.join([f'HTTP/1.1 {status} x', 'Content-Length: 0', *lines, '', '']).encode()


# What comes in place of an answer, and what is said of it.
WRONG = {
    'garbage': (b'\x16\x03\x01 nothing of HTTP\r\n\r\n', 'trying again'),
    'redirect': (head(302, 'Location: http://example.org/'),
                 'answers 302 and leads to http://example.org/'),
    'unauthorized': (head(401), 'does not know this token'),
    'forbidden': (head(403), 'does not know this token'),
    'bad-gateway': (head(502), 'answers 502'),
    'no-service': (head(503), 'is busy'),
    'web-site': (head(200), 'is http://127.0.0.1:8080/ the URL of a tunnel'),
    'huge-head': (head(200, *['x-more: ' + 1000 * 'x'] * 40), 'trying again'),
    'nothing': (b'', 'trying again'),
}


@pytest.mark.parametrize('answer, said', WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_and_survived(lab, answer, said):
    wrong = Listener(8080, saying(answer))
    client = t.tunnel(lab, None, HERE)
    client.wait_for(said)
    wrong.close()
    t.tunnel(lab, None, t.SERVER)
    client.wait_event('connected')


def copy(source, sink, most):
    """Bytes of one connection to another: at most so many, then both are broken."""
    while most > 0 and (data := source.recv(min(4096, most))):
        sink.sendall(data)
        most -= len(data)
    for one in (source, sink):
        one.shutdown(socket.SHUT_RDWR)


def cutting(most):
    def serve(connection):
        with socket.create_connection(('127.0.0.1', 8080)) as server:
            back = begin(lambda: copy(server, connection, most))
            begin(lambda: copy(connection, server, most)).join()
            back.join()
    return serve


def test_a_proxy_that_cuts(lab):
    """In the middle of records, again and again; when it stops, all is well."""
    server = t.tunnel(lab, None, t.SERVER)
    cutter = Listener(8081, cutting(700))
    client = t.tunnel(lab, None, {**HERE, 'server': 'http://127.0.0.1:8081/'})
    client.wait_event('connected')
    flood = lab.start(None, 'ping -f -s 900 -m 7 -I tun0 10.0.0.2')
    client.wait_event('connected', number=2, seconds=120)
    cutter.close()
    honest = Listener(8081, cutting(1 << 30))
    client.wait_event('connected', number=3, seconds=120)
    flood.stop()
    assert client.is_running() and server.is_running()
    assert t.facts_at_end(client)['peers'][0]['broken'] == 0
    assert t.facts_at_end(server)['peers'][0]['broken'] == 0
    honest.close()


def test_a_server_that_never_answers(lab):
    """A client gives it up after a minute, and takes one that answers; told to, it ends at once."""
    silent = Listener(8080, lambda connection: connection.recv(65536))
    client = t.tunnel(lab, None, HERE)
    lab.until(lambda: len(silent.connections) >= 2, seconds=180)
    assert client.events('connected') == []
    silent.close()
    t.tunnel(lab, None, t.SERVER)
    client.wait_event('connected', seconds=120)
    assert client.stop() == 0


def test_a_client_that_never_reads(lab):
    """It costs a bounded queue, and the other client nothing."""
    server = t.tunnel(lab, 'hub', t.TWO)
    client = t.tunnel(lab, 'site', t.CLIENT)
    client.wait_event('connected')
    reader = lab.start('site', 'python3 -c "import socket, time\n'
                       's = socket.create_connection((\'192.0.2.1\', 8080))\n'
                       's.sendall(b\'GET / HTTP/1.1\\r\\nHost: x\\r\\nx-api-key: foo\\r\\n\\r\\n\')\n'
                       'print(\'asked\', flush=True)\n'
                       'time.sleep(600)"')
    reader.wait_for('asked')
    server.wait_event('connected', name='10.0.0.3')
    before = server.resident_kib()
    lab.run('hub', 'ping -f -c 40000 -l 200 -s 1300 -w 4 10.0.0.3', check=False)
    t.ping(lab, 'site', '10.0.0.1')
    t.ping(lab, 'hub', '10.0.0.2')
    assert server.resident_kib() - before < 48 * 1024
    assert client.events('disconnected') == []


def test_thousands_of_wrong_tokens(lab):
    """They silence their own address, and cost no memory."""
    server = t.tunnel(lab, None, t.SERVER)
    before = server.resident_kib()
    connection = http.client.HTTPConnection('127.0.0.1', 8080, timeout=60)
    for number in range(3000):
        connection.request('GET', '/', headers={
            'x-api-key': f'guess {number}', 'X-Forwarded-For': f'198.51.{number % 256}.9'})
        response = connection.getresponse()
        assert (response.status, response.read()) == (403, b'Forbidden')
    client = t.tunnel(lab, None, HERE)
    client.wait_event('connected')
    assert server.resident_kib() - before < 16 * 1024


def test_a_path_that_goes_silent(lab):
    """Both ends have a connection that leads nowhere; the client finds out in a minute."""
    t.tunnel(lab, 'hub', t.SERVER)
    client = t.tunnel(lab, 'site', t.CLIENT)
    client.wait_event('connected')
    t.ping(lab, 'site', '10.0.0.1')
    lab.run('hub', 'ip link set eth-site down')
    client.wait_event('disconnected', seconds=180)
    lab.run('hub', 'ip link set eth-site up')
    client.wait_event('connected', number=2, seconds=120)
    t.ping(lab, 'site', '10.0.0.1')

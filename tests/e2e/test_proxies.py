# SPDX-License-Identifier: MIT
"""weft tunnel through each proxy, with the configuration of packaging/proxies.

    hub --------------------- 192.0.2.0/30 --------------------- site
    weft tunnel, port 8080 --- proxy, port 443 === TLS === weft tunnel
    tun0 10.0.0.1/24                                       tun1 10.0.0.2
"""
import json
import os
import signal
import time

import pytest

import netlab
import proxies
import tunnels as t

SERVER = {**t.SERVER, 'listen': '127.0.0.1', 'mtu': 1400}


@pytest.fixture
def lab():
    lab = netlab.Lab()
    lab.directory = f'/run/proxies-{os.getpid()}-{time.monotonic_ns()}'
    os.mkdir(lab.directory)
    proxies.name_hosts(lab, lab.directory)
    lab.host('hub')
    lab.host('site')
    lab.cable('hub', 'site', f'{proxies.ADDRESS}/30', '192.0.2.2/30')
    yield lab
    lab.close()
    lab.run(None, 'umount /etc/hosts')


def client_of(lab, **keys):
    return {'name': 'tun1', 'server': proxies.URL, 'token': 'test',
            'ca': f'{lab.directory}/ca.pem', **keys}


def connect(lab, kind, changes=(), **keys):
    """The proxy, the server, and a client that is connected."""
    server = t.tunnel(lab, 'hub', SERVER)
    proxy = proxies.Proxy(lab, 'hub', kind, lab.directory, changes)
    client = t.tunnel(lab, 'site', client_of(lab, **keys))
    client.wait_event('connected', address='10.0.0.2/24')
    return proxy, server, client


def is_quick(lab, host, address):
    """Several pings with nothing else going on: each is answered, without the next one's help."""
    return lab.unanswered(host, address, 5, '-i 0.3') == []


def iperf(lab, port, options=''):
    """Bits per second of one TCP connection from site to hub."""
    server = lab.start('hub', f'iperf3 -s -1 -p {port} --forceflush --bind 10.0.0.1')
    server.wait_for('listening')
    result = json.loads(lab.run('site', f'iperf3 -c 10.0.0.1 -p {port} --time 1 --json {options}'))
    return result['end']['sum_received']['bits_per_second']


# Over HTTP/2 both streams share a connection.
@pytest.mark.parametrize('http2', [False, True], ids=['http1', 'http2'])
@pytest.mark.parametrize('kind', proxies.KINDS)
def test_both_ways(lab, kind, http2):
    _, server, client = connect(lab, kind, http2=http2)
    t.ping(lab, 'site', '10.0.0.1')
    t.ping(lab, 'hub', '10.0.0.2')
    assert is_quick(lab, 'site', '10.0.0.1') and is_quick(lab, 'hub', '10.0.0.2')
    assert netlab.is_ever_over(1e7, lambda: iperf(lab, 5201))
    assert netlab.is_ever_over(1e7, lambda: iperf(lab, 5202, '--reverse'))
    lab.until(lambda: len(t.connections_to(lab, 443)) == (1 if http2 else 2))
    assert client.events('disconnected') == []
    assert client.stop() == 0
    peer = t.facts_at_end(server)['peers'][0]
    assert peer['broken'] == peer['rx_bad'] == 0


@pytest.mark.parametrize('http2', [False, True], ids=['http1', 'http2'])
@pytest.mark.parametrize('kind', proxies.KINDS)
def test_a_restart_of_the_proxy(lab, kind, http2):
    proxy, server, client = connect(lab, kind, http2=http2)
    t.ping(lab, 'site', '10.0.0.1')
    proxy.stop()
    client.wait_event('disconnected')
    proxy.start()
    client.wait_event('connected', number=2, seconds=120)
    t.ping(lab, 'site', '10.0.0.1')
    t.ping(lab, 'hub', '10.0.0.2')
    assert server.is_running()


@pytest.mark.parametrize('kind', proxies.KINDS)
def test_a_restart_of_the_server(lab, kind):
    """Caddy goes on swallowing an upload whose server has gone."""
    _, server, client = connect(lab, kind)
    t.ping(lab, 'site', '10.0.0.1')
    server.stop(signal.SIGKILL)
    client.wait_event('disconnected')
    t.tunnel(lab, 'hub', SERVER)
    client.wait_event('connected', number=2, seconds=120)
    t.ping(lab, 'site', '10.0.0.1')


@pytest.mark.parametrize('kind', proxies.KINDS)
def test_a_web_site_beside_it(lab, kind):
    if kind == 'haproxy':
        lab.start('hub', f'python3 -m http.server --bind 127.0.0.1 -d {lab.directory}/html 80')
    connect(lab, kind)
    site = proxies.URL.replace('/tunnel/', '/index.html')

    def is_served():
        """the web site"""
        page = lab.run('site', f'curl -s --cacert {lab.directory}/ca.pem {site}', check=False)
        return page == 'a web site\n'
    lab.until(is_served)


@pytest.mark.parametrize('kind', proxies.KINDS)
def test_who_guesses_tokens_is_told_apart(lab, kind):
    """By X-Forwarded-For: the proxy's own address is everybody's."""
    _, server, _ = connect(lab, kind)
    lab.run('site', f'curl -s --cacert {lab.directory}/ca.pem -H "x-api-key: guess" '
            f'-H "X-Forwarded-For: 198.51.100.1" {proxies.URL}')
    server.wait_event('refused', address='192.0.2.2')


@pytest.mark.parametrize('kind', proxies.KINDS)
def test_a_server_that_is_not_there_yet(lab, kind):
    """The proxy says 502 or 503 meanwhile."""
    proxies.Proxy(lab, 'hub', kind, lab.directory)
    client = t.tunnel(lab, 'site', client_of(lab))
    client.wait_for(r'(answers 50\d|is busy).*trying again')
    t.tunnel(lab, 'hub', SERVER)
    client.wait_event('connected', seconds=120)
    t.ping(lab, 'site', '10.0.0.1')

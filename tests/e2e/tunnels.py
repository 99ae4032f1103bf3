# SPDX-License-Identifier: MIT
"""What the tests of weft tunnel have in common.

    hub ------------ 192.0.2.0/30 ------------ site          two ends of ours
    tun0 10.0.0.1/24 === HTTP, port 8080 === tun1 10.0.0.2
"""
import hashlib
import json
import os
import pathlib
import signal
import ssl
import time

import pytest

import netlab
import party as p

HASHES = {'test': 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3',
          'foo': '0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33'}
SERVER = {'name': 'tun0', 'port': 8080, 'net': '10.0.0.1/24', 'mtu': 1400,
          'clients': [{'token': HASHES['test'], 'ip': '10.0.0.2'}]}
TWO = {**SERVER, 'clients': SERVER['clients'] + [{'token': HASHES['foo'], 'ip': '10.0.0.3'}]}
HTTPS = 'https://192.0.2.1:8080/'
CLIENT = {'name': 'tun1', 'server': 'http://192.0.2.1:8080/any/path', 'token': 'test'}


@pytest.fixture
def lab():
    lab = netlab.Lab()
    lab.directory = f'/run/tunnel-{os.getpid()}-{time.monotonic_ns()}'
    os.mkdir(lab.directory)
    lab.host('hub')
    lab.host('site')
    lab.cable('hub', 'site', '192.0.2.1/30', '192.0.2.2/30')
    yield lab
    lab.close()
    assert lab.run(None, 'ip -br link show type tun') == ''
    assert 'fwmark' not in lab.run(None, 'ip rule list')


def tunnel(lab, host, *interfaces):
    path = pathlib.Path(f'{lab.directory}/{len(lab.processes)}.json')
    path.write_text(json.dumps(interfaces))
    path.chmod(0o600)
    process = p.Weft(lab, host, f'{p.WEFT} tunnel --json {path}', env={'TERM': 'dumb'})
    lab.processes.append(process)
    process.wait_event('ready')
    return process


def both(lab, at_hub=SERVER, at_site=CLIENT):
    server, client = tunnel(lab, 'hub', at_hub), tunnel(lab, 'site', at_site)
    server.wait_event('connected', name='10.0.0.2')
    client.wait_event('connected', address='10.0.0.2/24')
    return server, client


def ping(lab, host, address, seconds=netlab.PATIENCE):
    def answered():
        return '1 received' in lab.run(host, f'ping -c1 -W1 {address}', check=False)
    answered.__doc__ = f'{address} to answer {host}'
    lab.until(answered, seconds)


def connections_to(lab, port):
    """The ports from which the client has TCP connections to one of the server or a proxy."""
    found = lab.run('site', f'ss -Htn state established dport = {port}').splitlines()
    return [int(line.split()[2].rsplit(':', 1)[1]) for line in found]


def facts_at_end(process):
    assert process.stop() == 0
    return process.wait_event('facts')['interfaces'][0]


def iperf(lab, reverse=False):
    server = lab.start('hub', 'iperf3 --server --one-off --forceflush --bind 10.0.0.1')
    server.wait_for('listening')
    result = json.loads(lab.run('site', 'iperf3 --client 10.0.0.1 --time 1 --json'
                                + (' --reverse' if reverse else '')))
    return result['end']['sum_received']['bits_per_second']


def certificate(lab, name='server'):
    """Returns its file, its key's, and the SHA-256 of its public key."""
    cert, key = f'{lab.directory}/{name}.pem', f'{lab.directory}/{name}.key'
    lab.run(None, 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes '
                  f'-days 2 -subj /CN=hub -addext subjectAltName=IP:192.0.2.1 '
                  f'-out {cert} -keyout {key}')
    public = lab.run(None, f'openssl x509 -in {cert} -pubkey -noout')
    return cert, key, hashlib.sha256(ssl.PEM_cert_to_DER_cert(
        public.replace('PUBLIC KEY', 'CERTIFICATE'))).hexdigest()


def secure(cert, key):
    return {**SERVER, 'tls': {'cert': cert, 'key': key}}


def rewrite(process, *interfaces):
    """As editors do: another file is renamed into its place."""
    path = pathlib.Path(process.command.split()[-1])
    beside = path.with_suffix('.new')
    beside.write_text(json.dumps(interfaces))
    beside.chmod(0o600)
    beside.rename(path)


def hang_up(process, *interfaces, number=1):
    rewrite(process, *interfaces)
    process.popen.send_signal(signal.SIGHUP)
    return process.wait_event('reloaded', number=number)['changes']

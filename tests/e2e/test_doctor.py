# SPDX-License-Identifier: MIT
"""weft doctor, against each proxy with our configuration and with each line of it spoilt.

    machine:  weft doctor === TLS, port 443 === proxy --- HTTP, port 8080 --- weft tunnel

Each spoilt configuration has a machine of its own, so that several are examined at once.
"""
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

import netlab
import party as p
import proxies
import tunnels as t
import unpacked

KEEP = r'\g<0>'

# Of HAProxy before 3: its server is to say something while a request is still on its way.
SERVER_CUTS_REQUEST = ('timeout server 95m', 'timeout server 3s', 'request-timeout',
                       'timeout server 95m')

# What is changed in a proxy's configuration; what the doctor must find; the line that it names.
BAD = {
    'nginx': [
        ('proxy_buffering off', 'proxy_buffering on',
         'response-buffered', 'proxy_buffering off;'),
        ('proxy_request_buffering off', 'proxy_request_buffering on',
         'request-buffered', 'proxy_request_buffering off;'),
        ('proxy_http_version 1.1', 'proxy_http_version 1.0',
         'http10', 'proxy_http_version 1.1;'),
        ('client_max_body_size 0', 'client_max_body_size 1m',
         'body-limit', 'client_max_body_size 0;'),
        ('proxy_read_timeout 95m', 'proxy_read_timeout 3s',
         'response-timeout', 'proxy_read_timeout 95m;'),
        ('client_body_timeout 95m', 'client_body_timeout 3s',
         'request-timeout', 'client_body_timeout 95m;'),
        ('proxy_set_header X-Forwarded-For.*', '',
         'no-forwarded-for', 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;'),
        ('proxy_buffer_size 64k', 'proxy_buffer_size 2k',
         'head-limit', 'proxy_buffer_size 64k;'),
        ('ssl http2', 'ssl', 'no-http2', 'listen 443 ssl http2; (1.25 and newer: http2 on;)'),
        ('127.0.0.1:8080', '127.0.0.1:8089',
         'no-backend', 'proxy_pass http://127.0.0.1:8080;'),
        ('location /tunnel/', 'location /tunnels/', 'elsewhere', 'location /tunnel/ { ... }'),
        ('gzip off;', 'deny all;', 'barred',
         'auth_basic off; (no deny, no limit_except for it)'),
        ('gzip off;', 'return 302 /elsewhere/;', 'redirect', None),
    ],
    'caddy': [
        ('versions 1.1', KEEP + '\n\t\t\t\tread_timeout 3s',
         'response-timeout', '(no read_timeout in transport http of reverse_proxy)'),
        ('flush_interval -1', 'flush_interval -1\n\t\t\tbuffer_requests',
         'request-buffered', '(no request_buffers and no buffer_requests in reverse_proxy)'),
        ('flush_interval -1', 'flush_interval -1\n\t\t\tbuffer_responses',
         'response-buffered',
         'flush_interval -1 (in reverse_proxy; and no response_buffers there)'),
        ('handle /tunnel/. {', KEEP + '\n\t\trequest_body {\n\t\t\tmax_size 1MB\n\t\t}',
         'body-limit', '(no max_size in request_body)'),
        ('flush_interval -1', KEEP + '\n\t\t\theader_up -X-Forwarded-For',
         'no-forwarded-for', '(no header_up -X-Forwarded-For)'),
        ('127.0.0.1:8080', '127.0.0.1:8089', 'no-backend', 'reverse_proxy 127.0.0.1:8080'),
        ('handle /tunnel/', 'handle /tunnels/', 'elsewhere', 'handle /tunnel/* { ... }'),
    ],
    'haproxy': [
        (r'timeout (client|server) 95m', r'timeout \1 3s', 'request-timeout',
         'timeout client 95m'),
        SERVER_CUTS_REQUEST,
        ('timeout server 95m', 'timeout server 3s', 'response-timeout', 'timeout server 95m'),
        ('option http-no-delay', KEEP + '\n\toption http-buffer-request',
         'request-buffered', 'no option http-buffer-request'),
        ('alpn h2,http/1.1', 'alpn http/1.1', 'no-http2', 'bind :443 ssl crt ... alpn h2,http/1.1'),
        ('http-request set-header.*', '',
         'no-forwarded-for', 'http-request set-header X-Forwarded-For %[src]'),
        ('127.0.0.1:8080', '127.0.0.1:8089', 'no-backend', 'server weft 127.0.0.1:8080'),
        ('path_beg /tunnel/', 'path_beg /tunnels/',
         'elsewhere', 'use_backend tunnel if { path_beg /tunnel/ }'),
        ('option http-no-delay', 'http-request deny',
         'barred', '(no http-request auth and deny for /tunnel/)'),
    ],
    'apache': [
        ('SetEnv proxy-sendchunked 1', 'SetEnv proxy-sendcl 1',
         'request-buffered', 'SetEnv proxy-sendchunked 1'),
        ('SetEnv no-gzip 1', 'SetEnv force-proxy-request-1.0 1',
         'http10', '(no SetEnv force-proxy-request-1.0)'),
        ('ProxyTimeout 5700', 'ProxyTimeout 3', 'response-timeout', 'ProxyTimeout 5700'),
        ('body=0', 'body=5', 'request-timeout',
         'RequestReadTimeout header=20-40,MinRate=500 body=0'),
        ('Protocols h2 http/1.1', 'Protocols http/1.1',
         'no-http2', 'Protocols h2 http/1.1 (with a2enmod http2)'),
        ('ProxyTimeout 5700', KEEP + '\n\tProxyAddHeaders Off',
         'no-forwarded-for', 'ProxyAddHeaders On'),
        ('127.0.0.1:8080', '127.0.0.1:8089', 'no-backend',
         'ProxyPass /tunnel/ http://127.0.0.1:8080/tunnel/ flushpackets=on'),
        ('<Location /tunnel/>', '<Location /tunnels/>', 'elsewhere', '<Location /tunnel/>'),
        ('SetEnv no-gzip 1', 'Require all denied', 'barred', 'Require all granted'),
    ],
}
AT_ONCE = 3  # machines: what is held back by a busy processor is no proxy's fault
NAMES = {'nginx': 'nginx', 'caddy': 'Caddy', 'haproxy': 'HAProxy', 'apache': 'Apache httpd'}


class Machine:
    """A proxy and a server behind it, and the doctor who looks at both."""

    def __init__(self, lab, number, kind, changes=()):
        self.lab, self.host = lab, f'm{number}'
        self.directory = pathlib.Path(f'{lab.directory}/{number}')
        self.directory.mkdir()
        lab.host(self.host)
        lab.run(self.host, f'ip address add {proxies.ADDRESS}/32 dev lo')
        self.server = t.tunnel(lab, self.host, t.SERVER)
        if kind == 'haproxy':  # the others have the web site in themselves
            lab.start(self.host, 'python3 -m http.server --bind 127.0.0.1 80')
        self.proxy = kind and proxies.Proxy(lab, self.host, kind, self.directory, changes)

    def examine(self, token='test', url=proxies.URL, options=''):
        path = self.directory / 'token'
        path.write_text(token + '\n')
        ca = f'--ca {self.directory}/ca.pem' if self.proxy else ''
        process = p.Weft(self.lab, self.host, f'{p.WEFT} doctor {url} --json {ca} '
                         f'--token-file {path} {options}', env={'TERM': 'dumb'})
        self.lab.processes.append(process)
        return process


@pytest.fixture
def lab():
    lab = netlab.Lab()
    lab.directory = f'/run/doctor-{os.getpid()}-{time.monotonic_ns()}'
    os.mkdir(lab.directory)
    proxies.name_hosts(lab, lab.directory)
    yield lab
    lab.close()
    lab.run(None, 'umount /etc/hosts')


def verdict(process):
    return process.wait_event('verdict', seconds=300)


def findings(machine, process):
    """What was found, by id, and who found it: one who says that everything here is too busy to
    tell, and to come again, is taken at its word."""
    for _ in range(10):
        verdict(process)
        process.popen.wait(netlab.PATIENCE)
        found = {one['id']: one for one in process.events('finding')}
        if 'busy' not in found:
            break
        process = machine.examine()
    return found, process


def lines(finding):
    return [one['line'] for one in finding['lines']]


@pytest.mark.parametrize('kind', proxies.KINDS)
def test_nothing_is_wrong_with_our_configuration(lab, kind):
    machine = Machine(lab, 0, kind)

    def slower_way():
        wrong, process = findings(machine, machine.examine())
        assert wrong == {}
        found = verdict(process)
        assert found['fit'] and found['proxy'] == NAMES[kind]
        assert found['version'] == found['version_up'] == 11 and found['http2']
        assert found['rtt_ns'] > 0
        assert process.stop() == 0
        return min(found['down_bps'], found['up_bps'])
    assert netlab.is_ever_over(1e6, slower_way)


def test_a_server_that_ends_is_no_proxys_fault(lab):
    machine = Machine(lab, 0, None)
    process = machine.examine(url='http://127.0.0.1:8080/')
    process.wait_event('step', text='sending small pieces both ways, and being silent')
    machine.server.stop()
    verdict(process)
    assert [one['id'] for one in process.events('finding')] == ['gone']
    assert process.stop() == 1


def haproxy_version():
    said = subprocess.run([unpacked.find_program('haproxy'), '-v'], check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, **unpacked.environment()})
    return int(re.search(r'version (\d+)', said.stdout)[1])


def rows_of(kind):
    rows = BAD[kind]
    if kind == 'haproxy' and haproxy_version() >= 3:
        return [row for row in rows if row is not SERVER_CUTS_REQUEST]
    return rows


def check_spoilt(machine, process, name, line, kind):
    found, process = findings(machine, process)
    assert name in found, (name, json.dumps(list(found.values()), indent=1))
    assert line is None or line in lines(found[name])
    if (kind, name) != ('haproxy', 'elsewhere'):  # there, the web site's own server answers
        assert {one['proxy'] for one in found[name]['lines']} <= {NAMES[kind]}
    fatal = any(one['severity'] == 'error' for one in found.values())
    assert process.stop() == (1 if fatal else 0)


@pytest.mark.parametrize('kind', proxies.KINDS)
def test_each_spoilt_line_is_named(lab, kind):
    rows = rows_of(kind)
    for begin in range(0, len(rows), AT_ONCE):
        patients = []
        for number, (pattern, replacement, *expected) in enumerate(rows):
            if begin <= number < begin + AT_ONCE:
                machine = Machine(lab, number, kind, [(pattern, replacement)])
                patients.append((machine, machine.examine(), *expected))
        for patient in patients:
            check_spoilt(*patient, kind)

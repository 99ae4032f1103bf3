# SPDX-License-Identifier: MIT
"""What bench/tunnel measures: the programs that make an IP tunnel from a site to a hub.

    a (site) 192.0.2.1/30 --- veth --- 192.0.2.2/30 b (hub)
    t1 10.1.0.1/24  ============ tunnel 1 ============ t1 10.1.0.2/24
    t2 10.2.0.1/24  ============ tunnel 2 ============ t2 10.2.0.2/24   ...

All are up at once, each with a device and a net of its own, and are measured in turn. A start
function takes the laboratory and the tunnel's number and returns a Path: what is to be measured
and which processes, by what they do, are its cost. All TCP of both namespaces is under one
congestion control.
"""
import collections
import json
import os
import pathlib
import shutil
import subprocess
import textwrap

import netlab
import party
import plugs
import rivals

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = os.environ.get('VNETCOPY', str(ROOT / 'build/bench/bench-vnetcopy'))
SITE, HUB = '192.0.2.1', '192.0.2.2'
FILES = '/run/tunnels'
HASH = 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3'  # SHA-1 of the token "test"
# Ports of the hub: 1000 and more for what listens itself, 8000 and 8400 for nginx before it.
PORT, NGINX, NGINX_TLS = 1000, 8000, 8400

Program = collections.namedtuple('Program', 'title needs start against')


class Bench(party.Party):
    """Other hosts than a party's, the same measures."""

    def __init__(self, congestion):  # pylint: disable=super-init-not-called
        netlab.Lab.__init__(self)
        os.makedirs(FILES, exist_ok=True)
        self.congestion = congestion
        self.host('a')
        self.host('b')
        self.cable('a', 'b', f'{SITE}/30', f'{HUB}/30')
        for host in 'ab':
            self.set_congestion(host, '192.0.2.0/30', 'main')
            self.set_congestion(host, '127.0.0.0/8', 'local')
        self.run(None, 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 '
                       f'-nodes -days 2 -subj /CN={HUB} -addext subjectAltName=IP:{HUB} '
                       f'-keyout {FILES}/key -out {FILES}/crt')

    def set_congestion(self, host, network, table):
        """A namespace may choose its default among a few only; its routes among all."""
        route = self.run(host, f'ip route show {network} table {table}').strip()
        route = route.removesuffix(' linkdown')  # the cable may have been plugged in just now
        self.run(host, f'ip route replace {route} table {table} congctl {self.congestion}')

    def file(self, name, text):
        path = pathlib.Path(f'{FILES}/{name}')
        path.write_text(textwrap.dedent(text).lstrip(), encoding='utf-8')
        path.chmod(0o600)
        return str(path)

    def weft_tunnel(self, host, name, **interface):
        path = self.file(f'{host}-{name}.json', json.dumps([{'name': name, **interface}]))
        process = party.Weft(self, host, f'{party.WEFT} tunnel --json {path} ',
                             env={'TERM': 'dumb'})
        self.processes.append(process)
        process.wait_event('ready')
        return process

    def nginx(self, number, has_tls):
        """In front of the hub's port of that number; docs/tunnel.md has these lines."""
        port = f'{NGINX_TLS + number} ssl' if has_tls else f'{NGINX + number}'
        path = self.file(f'nginx-{number}.conf', f'''
            user root; worker_processes 1; pid {FILES}/nginx-{number}.pid;
            error_log stderr; events {{}}
            http {{ access_log off; server {{
                listen {port};
                ssl_certificate {FILES}/crt; ssl_certificate_key {FILES}/key;
                ssl_protocols TLSv1.3; ssl_buffer_size 16k;
                client_max_body_size 0; client_body_timeout 1h; client_body_buffer_size 256k;
                location / {{
                    proxy_pass http://127.0.0.1:{PORT + number};
                    proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
                    proxy_buffer_size 64k; proxy_buffers 4 64k; proxy_busy_buffers_size 64k;
                    proxy_read_timeout 1h; proxy_send_timeout 1h; send_timeout 1h;
                }} }} }}''')
        return self.start('b', f'nginx -c {path} -p {FILES} -g "daemon off;"')


def cpu_seconds(processes):
    """User and system time of each process and its children so far."""
    return {name: plugs.cpu_seconds(process) for name, process in processes.items()}


class Path:
    """Two ends with an address each; iperf3 runs between them."""

    def __init__(self, lab, address, processes=None):
        self.lab, self.address, self.processes = lab, address, processes or {}

    def wait(self):
        def answers():
            """an answer to a ping through the tunnel"""
            return ' 1 received' in self.lab.run('a', f'ping -c 1 -W 1 {self.address}', check=False)
        self.lab.until(answers, 30)

    def rate(self, seconds, reverse):
        return self.lab.iperf('a', 'b', self.address, seconds, reverse, self.lab.congestion)


class Transfer:
    """A plain HTTP stream by curl: what a proxy itself can carry."""

    def __init__(self, lab, url, processes):
        self.lab, self.url, self.processes = lab, url, processes

    def wait(self):
        def answers():
            """curl to get something"""
            return self.rate(1, True)
        self.lab.until(answers, 30)

    def rate(self, seconds, reverse):
        upload = '' if reverse else '-T - '
        command = (f'sh -c "curl -sk --http1.1 -m {seconds} -o /dev/null {upload}'
                   f'-w \'%{{size_download}} %{{size_upload}}\' {self.url} </dev/zero"')
        sizes = self.lab.run('a', command, check=False, seconds=seconds + 30).split()
        return max(map(int, sizes)) * 8 / seconds / 1e9


def addresses(number):
    """Of the site and of the hub."""
    return f'10.{number}.0.1', f'10.{number}.0.2'


def configure(lab, number, processes, devices=None, mtu=None):
    """Gives both devices their addresses; returns the path between them."""
    ends = addresses(number)
    for host, address, device in zip('ab', ends, devices or 2 * [f't{number}']):
        rivals.wait_device(lab, device, host)
        lab.run(host, f'ip address replace {address}/24 dev {device}')
        lab.run(host, f'ip link set {device} up' + (f' mtu {mtu}' if mtu else ''))
    return Path(lab, ends[1], processes)


def bare(lab, _):
    return Path(lab, HUB)


def ceiling(lab, number):
    command = f'{COPY} t{number} {{}} {HUB} {PORT + number} {lab.congestion}'
    server = lab.start('b', command.format('listen'))
    server.wait_for('listening')
    client = lab.start('a', command.format('connect'))
    return configure(lab, number, {'server': server, 'client': client})


def ceiling_nginx(lab, number):
    command = f'{COPY} --http t{number} {{}} {{}} {lab.congestion}'
    server = lab.start('b', command.format('listen', f'127.0.0.1 {PORT + number}'))
    server.wait_for('listening')
    proxy = lab.nginx(number, False)

    def listens():
        """nginx to listen"""
        return f':{NGINX + number} ' in lab.run('b', 'ss -Htln')
    lab.until(listens)
    client = lab.start('a', command.format('connect', f'{HUB} {NGINX + number}'))
    return configure(lab, number, {'server': server, 'client': client, 'nginx': proxy})


def weft(lab, number, proxies=None, url=None, ca=None, **more):
    """One weft on each side; the client goes to url rather than to the server itself."""
    ends = addresses(number)
    server = lab.weft_tunnel('b', f't{number}', port=PORT + number, net=f'{ends[1]}/24', mtu=1500,
                             clients=[{'token': HASH, 'ip': ends[0]}], **more)
    client = lab.weft_tunnel('a', f't{number}', token='test',
                             server=url or f'http://{HUB}:{PORT + number}/',
                             **({'ca': ca} if ca else {}))
    return Path(lab, ends[1], {'server': server, 'client': client, **(proxies or {})})


def weft_tls(lab, number):
    return weft(lab, number, url=f'https://{HUB}:{PORT + number}/', ca=f'{FILES}/crt',
                tls={'cert': f'{FILES}/crt', 'key': f'{FILES}/key'})


def weft_nginx(lab, number):
    return weft(lab, number, {'nginx': lab.nginx(number, False)},
                f'http://{HUB}:{NGINX + number}/')


def weft_nginx_tls(lab, number):
    return weft(lab, number, {'nginx': lab.nginx(number, True)},
                f'https://{HUB}:{NGINX_TLS + number}/', f'{FILES}/crt')


def nginx_itself(lab, number, has_tls=False):
    server = lab.start('b', f'/usr/bin/python3 {ROOT}/bench/plainhttp.py {PORT + number}')
    server.wait_for('listening')
    proxy = lab.nginx(number, has_tls)
    url = (f'https://{HUB}:{NGINX_TLS + number}/' if has_tls
           else f'http://{HUB}:{NGINX + number}/')
    return Transfer(lab, url, {'server': server, 'nginx': proxy})


def nginx_itself_tls(lab, number):
    return nginx_itself(lab, number, True)


def wireguard(lab, number):
    """UDP; MTU 1420. Its control sockets are below one directory: so two names."""
    keys, processes, devices = {}, {}, {host: f't{number}{host}' for host in 'ab'}
    for host, role in (('a', 'client'), ('b', 'server')):
        private = lab.run(None, 'wg genkey').strip()
        public = lab.run(None, f'sh -c "echo {private} | wg pubkey"').strip()
        keys[host] = (lab.file(f'wg-{host}', private), public)
        processes[role] = lab.start(host, f'{WIREGUARD} -f {devices[host]}')
        rivals.wait_device(lab, devices[host], host)
    for host, peer, endpoint in (('a', 'b', f'{HUB}:{PORT + number}'), ('b', 'a', None)):
        lab.run(host, f'wg set {devices[host]} private-key {keys[host][0]} '
                f'listen-port {PORT + number} peer {keys[peer][1]} allowed-ips 0.0.0.0/0'
                + (f' endpoint {endpoint}' if endpoint else ''))
    return configure(lab, number, processes, devices.values(), 1420)


def openvpn(lab, number, protocol='udp'):
    rivals.make_certificates(lab)
    command = ('openvpn --dev t{0} --dev-type tun --ifconfig {1} {2} --sndbuf 1048576 '
               '--rcvbuf 1048576 --ca {3}/ca.crt --cert {3}/{4}.crt --key {3}/{4}.key '
               '--data-ciphers AES-256-GCM ')
    site, hub = addresses(number)
    listens, connects = (('tcp-server', 'tcp-client') if protocol == 'tcp' else ('udp', 'udp'))
    server = lab.start('b', command.format(number, hub, site, rivals.FILES, 'hub')
                       + f'--tls-server --dh none --proto {listens} --lport {PORT + number}')
    client = lab.start('a', command.format(number, site, hub, rivals.FILES, 'a')
                       + f'--tls-client --proto {connects} --remote {HUB} --nobind '
                         f'--rport {PORT + number}')
    for process in (server, client):
        process.wait_for('Initialization Sequence Completed')
    return Path(lab, hub, {'server': server, 'client': client})


def openvpn_tcp(lab, number):
    return openvpn(lab, number, 'tcp')


def openconnect(lab, number):
    """ocserv and openconnect over TLS alone, as through a web proxy: no DTLS."""
    site, hub = addresses(number)
    password = lab.file('ocpasswd', '')
    lab.run(None, f'sh -c "printf \'test\\ntest\\n\' | ocpasswd -c {password} test"')
    conf = lab.file('ocserv.conf', f'''
        auth = "plain[passwd={password}]"
        tcp-port = {PORT + number}
        server-cert = {FILES}/crt
        server-key = {FILES}/key
        socket-file = {FILES}/ocserv.sock
        run-as-user = root
        run-as-group = root
        isolate-workers = false
        device = t{number}
        ipv4-network = 10.{number}.0.0
        ipv4-netmask = 255.255.255.0
        ping-leases = false
        keepalive = 3600
        mtu = 1500
        use-occtl = false
        pid-file = {FILES}/ocserv.pid
        max-clients = 4
        cookie-timeout = 300
        compression = false
        default-domain = example.org
        route = 10.{number}.0.0/255.255.255.0
        cisco-client-compat = false''')
    server = lab.start('b', f'ocserv --foreground --config {conf}')
    key = lab.run(None, f'sh -c "openssl x509 -in {FILES}/crt -noout -pubkey | openssl pkey '
                        '-pubin -outform der | openssl dgst -sha256 -binary | base64"').strip()
    script = lab.file('vpnc-script', '''
        #!/bin/sh
        [ "$reason" = connect ] || exit 0
        ip link set $TUNDEV up mtu $INTERNAL_IP4_MTU
        ip address replace $INTERNAL_IP4_ADDRESS/24 dev $TUNDEV
        ''')
    os.chmod(script, 0o700)
    secret = lab.file('oc-password', 'test\n')
    client = lab.start('a', 'sh -c "exec openconnect --no-dtls --protocol=anyconnect '
                       f'--interface=t{number} --script={script} --user=test --passwd-on-stdin '
                       f'--servercert pin-sha256:{key} --non-inter https://{HUB}:{PORT + number} '
                       f'<{secret}"')

    def connected():
        """openconnect to have a device"""
        return f'10.{number}.' in lab.run('a', f'ip address show dev t{number}', check=False)
    lab.until(connected)
    return Path(lab, f'10.{number}.0.1', {'server': server, 'client': client})


WIREGUARD = os.environ.get('WIREGUARD_GO', 'wireguard-go')


def wireguard_version():
    """What it says of itself: whether it knows offloads depends on its year."""
    said = subprocess.run([WIREGUARD, '--version'], capture_output=True, text=True, check=False)
    return (said.stdout.splitlines() or ['wireguard-go of no known version'])[0]


# against: whose rate a row is a share of.
PROGRAMS = {
    'bare': Program('bare path', ['iperf3'], bare, None),
    'ceiling': Program('copy ceiling', [COPY], ceiling, 'bare'),
    'weft': Program('weft', [party.WEFT], weft, 'ceiling'),
    'weft-tls': Program('weft, own TLS', [party.WEFT], weft_tls, 'ceiling'),
    'nginx': Program('nginx itself', ['nginx', 'curl'], nginx_itself, 'bare'),
    'ceiling-nginx': Program('ceiling, nginx', ['nginx', COPY], ceiling_nginx, 'nginx'),
    'weft-nginx': Program('weft, nginx', ['nginx', party.WEFT], weft_nginx, 'ceiling-nginx'),
    'nginx-tls': Program('nginx TLS itself', ['nginx', 'curl'], nginx_itself_tls, 'bare'),
    'weft-nginx-tls': Program('weft, nginx TLS', ['nginx', party.WEFT], weft_nginx_tls,
                              'nginx-tls'),
    'wireguard': Program('wireguard-go', [WIREGUARD, 'wg'], wireguard, 'ceiling'),
    'openconnect': Program('openconnect, TLS', ['ocserv', 'openconnect'], openconnect,
                           'ceiling'),
    'openvpn': Program('OpenVPN, UDP', ['openvpn'], openvpn, 'ceiling'),
    'openvpn-tcp': Program('OpenVPN, TCP', ['openvpn'], openvpn_tcp, 'ceiling'),
}


def missing_program(name):
    """The first program that is needed and not here, or None."""
    return next((p for p in PROGRAMS[name].needs if not shutil.which(p)), None)

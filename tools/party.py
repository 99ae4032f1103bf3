# SPDX-License-Identifier: MIT
"""The LAN party that the demo shows, the tests check and the benchmark measures.

     player ---.                       .--- gateway === switch === server
     198.51.100.2                      .10     |        (LAN)      192.168.77.1
               |------- relay ---------'       '-- lan0: no address at all
     player2 --'    203.0.113.1
     198.51.100.6
"""
import json
import os
import pathlib
import re
import shlex

import netlab

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEFT = os.environ.get('WEFT', str(ROOT / 'build/src/cmd/weft'))
RELAY = '203.0.113.1'
SERVER = '192.168.77.1'
MACS = {'player': '02:00:00:00:01:01', 'player2': '02:00:00:00:01:02'}


def journals():
    """Names of what runs of weft have set on this machine and not undone."""
    directory = pathlib.Path('/run/weft')
    return {path.name for path in directory.glob('journal*')} if directory.exists() else set()


class Weft(netlab.Process):
    """A weft command that speaks --json: one event per line."""

    def events(self, name=None):
        found = []
        for line in self.output().splitlines(keepends=True):
            if line.startswith('{') and line.endswith('\n'):  # a long one comes in parts
                event = json.loads(line)
                if name in (None, event.get('event')):
                    found.append(event)
        return found

    def wait_event(self, name, /, seconds=netlab.PATIENCE, number=1, **fields):
        """The number-th event of that name whose fields are as given."""
        def look():
            has_ended = not self.is_running()
            found = [e for e in self.events(name)
                     if all(e.get(k) == v for k, v in fields.items())]
            if len(found) < number and has_ended:
                raise netlab.Failure(f'{self.command}: ended ({self.popen.poll()}) before '
                                     f'{name}:\n{self.output()}')
            return found[number - 1:number]
        look.__doc__ = f'event {name} {fields or ""} of {self.command}:\n'
        try:
            return self.lab.until(look, seconds)[0]
        except netlab.Failure as failure:
            raise netlab.Failure(f'{failure}\n{self.output()}') from None


class Party(netlab.Lab):
    def __init__(self, state='/run/party'):
        super().__init__()
        self.state = state
        self.invitation = None
        for name in ('relay', 'player', 'player2', 'gateway', 'switch', 'server'):
            self.host(name)
        self.run('relay', f'ip address add {RELAY}/32 dev lo')
        for number, name in enumerate(('player', 'player2', 'gateway')):
            base = 1 + 4 * number
            self.cable('relay', name, f'198.51.100.{base}/30', f'198.51.100.{base + 1}/30',
                       name_b='eth0')
            self.run(name, f'ip route add {RELAY} via 198.51.100.{base}')
            self.run(name, f'ip route add 198.51.100.0/24 via 198.51.100.{base}')
        self.run('relay', 'sysctl -qw net.ipv4.ip_forward=1')
        self.switch('switch')
        self.cable('gateway', 'switch', '', '@br0', name_a='lan0')
        self.cable('server', 'switch', f'{SERVER}/24', '@br0', name_a='eth0')
        self.until(self.switch_forwards)

    def switch_forwards(self):
        """the LAN's switch to forward; the kernel looks at a new cable only once a second"""
        return self.run('switch', 'bridge link show').count('state forwarding') == 2

    def weft(self, host, arguments, env=None):
        """Starts `weft ARGUMENTS` on a host, with a state directory of that host's own."""
        process = Weft(self, host, f'{WEFT} {arguments} --state {self.state}/{host}',
                       env={'TERM': 'dumb', **(env or {})})
        self.processes.append(process)
        return process

    def start_dhcp(self, is_router=False):
        """A real dnsmasq on the wired LAN; as a router, it is one for IPv6 (fd00:77::/64) too."""
        options = '--dhcp-option=3'
        if is_router:
            self.run('server', 'ip address add fd00:77::1/64 dev eth0 nodad')
            options = ('--dhcp-option=3,192.168.77.254 --enable-ra '
                       '--dhcp-range=fd00:77::,ra-only,64')
        server = self.start('server', 'dnsmasq --no-daemon --conf-file=/dev/null --port=0 '
                            '--user=root --group=root --interface=eth0 --bind-interfaces '
                            '--dhcp-range=192.168.77.100,192.168.77.199,1h '
                            '--dhcp-authoritative --dhcp-leasefile=/run/leases '
                            f'{options} --no-ping')
        server.wait_for('DHCP, IP range')
        return server

    def start_relay(self, options=''):
        relay = self.weft('relay', f'relay --json --room party --public {RELAY} {options}')
        self.invitation = relay.wait_event('invitation')['invitation']
        return relay

    def start_gateway(self, options=''):
        return self.weft('gateway', f'gateway --json lan0 {shlex.quote(self.invitation)} {options}')

    def start_player(self, name='player', options=''):
        return self.weft(name, f'join --json {shlex.quote(self.invitation)} --name {name} '
                         f'--mac {MACS[name]} {options}')

    def start_all(self):
        """Relay, gateway and both players; returns when everybody has an address."""
        parts = {'dhcp': self.start_dhcp(), 'relay': self.start_relay(),
                 'gateway': self.start_gateway()}
        parts['gateway'].wait_event('state', state='joined')
        for name in ('player', 'player2'):
            parts[name] = self.start_player(name)
        for name in ('player', 'player2'):
            parts[name].wait_event('address')
        return parts

    def address(self, host, device='weft0'):
        """The IPv4 address of a host's interface, or None."""
        found = re.search(r'inet ([\d.]+)/', self.run(host, f'ip -4 address show {device}',
                                                      check=False))
        return found[1] if found else None

    def link_local(self, host, device='weft0'):
        found = re.search(r'inet6 (fe80::[\da-f:]+)/',
                          self.run(host, f'ip -6 address show {device}', check=False))
        return found[1] if found else None

    def ping(self, host, target, count=200, interval=0.002):
        """Returns (lost fraction, sorted round trips in microseconds)."""
        text = self.run(host, f'ping -n -c {count} -i {interval} -W 2 {target}', check=False)
        trips = sorted(float(t) * 1000 for t in re.findall(r'time=([\d.]+) ms', text))
        if not re.search(r'\d+ packets transmitted', text):
            raise netlab.Failure(f'ping {target}:\n{text}')
        return 1 - len(trips) / count, trips

    def iperf(self, client, server, address, seconds=3, reverse=False, congestion='cubic',
              extra=''):
        """One TCP stream; returns Gbit/s as the receiver saw it."""
        listener = self.start(server, f'iperf3 -s -1 -B {address} --forceflush')
        listener.wait_for('Server listening')
        text = self.run(client, f'iperf3 -c {address} -t {seconds} -J -C {congestion} '
                        f'{"-R" if reverse else ""} {extra}', seconds=seconds + 30)
        listener.stop()
        return json.loads(text)['end']['sum_received']['bits_per_second'] / 1e9

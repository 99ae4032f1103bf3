# SPDX-License-Identifier: MIT
"""How each program makes one Ethernet segment of hosts a and b through hub.

    a 10.1.0.2/30 --- 10.1.0.1 hub 10.1.0.5 --- 10.1.0.6/30 b

The hub does not route between a and b, so every frame passes its process. A rival's start
function takes the laboratory and returns the name of the device, the same on a and on b;
the caller gives it an address. Ciphers and MTUs are the program's own defaults or what its
manual recommends; options are there only to make it able, or faster.
"""
import collections
import os
import shlex
import shutil

import party

HOSTS = ('hub', 'a', 'b')
HUB = {'a': '10.1.0.1', 'b': '10.1.0.5'}  # the hub as each side reaches it
FILES = '/run/rivals'

Rival = collections.namedtuple('Rival', 'title start programs')


def write(name, text):
    """Writes a file of that name below FILES; returns its path."""
    path = f'{FILES}/{name}'
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    return path


def wait_device(lab, device, hosts='ab'):
    def exists():
        return all(device in lab.run(host, 'ip -brief link') for host in hosts)
    exists.__doc__ = f'{device} on {" and ".join(hosts)}'
    lab.until(exists)


def weft(lab, relay_options='', member_options=''):
    relay = lab.weft('hub', f'relay --json --room bench --public {HUB["a"]} {relay_options}')
    invitation = relay.wait_event('invitation')['invitation']
    for number, host in enumerate('ab', 1):
        there = shlex.quote(invitation.replace(HUB['a'], HUB[host]))
        member = lab.weft(host, f'join --json --address none --mac 02:00:00:00:00:0{number} '
                                f'{member_options} {there}')
        member.wait_event('state', state='joined')
    return 'weft0'


def weft_busy_poll(lab):
    """The relay never sleeps; nor do the members where each can have a core to itself."""
    return weft(lab, '--busy-poll', '--busy-poll' if os.cpu_count() > len(HOSTS) else '')


def make_certificates(lab):
    """An authority and one key for each host, below FILES."""
    make = ('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 '
            '-subj /CN={0} -keyout {1}/{0}.key -out {1}/{0}.crt')
    os.makedirs(FILES, exist_ok=True)
    lab.run(None, make.format('ca', FILES))
    for host in HOSTS:
        lab.run(None, f'{make.format(host, FILES)} -CA {FILES}/ca.crt -CAkey {FILES}/ca.key')


def openvpn(lab):
    """TAP through its server, UDP; client-to-client stays inside the process."""
    make_certificates(lab)
    command = ('openvpn --dev tap0 --dev-type tap --proto udp --sndbuf 1048576 --rcvbuf 1048576 '
               f'--ca {FILES}/ca.crt --cert {FILES}/{{0}}.crt --key {FILES}/{{0}}.key')
    server = lab.start('hub', f'{command.format("hub")} --mode server --tls-server --dh none '
                       '--client-to-client --keepalive 10 60')
    server.wait_for('Initialization Sequence Completed')
    # A broadcast goes to the server's own device too, and everything waits behind that
    # write for as long as the device is down.
    lab.run('hub', 'ip link set tap0 up')
    for host in 'ab':
        client = lab.start(host, f'{command.format(host)} --client --nobind '
                           f'--remote {HUB[host]}')
        client.wait_for('Initialization Sequence Completed')
    return 'tap0'


def fastd(lab):
    """TAP mode; the hub forwards between its peers."""
    def make_keys():
        words = lab.run(None, 'fastd --generate-key').split()
        return words[words.index('Secret:') + 1], words[words.index('Public:') + 1]

    keys = {host: make_keys() for host in HOSTS}
    peers = {host: f'peer "hub" {{ key "{keys["hub"][1]}"; remote {HUB[host]} port 10000; }}\n'
             for host in 'ab'}
    peers['hub'] = 'bind 0.0.0.0:10000;\nforward yes;\n' + ''.join(
        f'peer "{host}" {{ key "{keys[host][1]}"; }}\n' for host in 'ab')
    for host in HOSTS:
        path = write(f'fastd/{host}', 'mode tap;\ninterface "tap0";\nmtu 1400;\n'
                     f'method "salsa2012+umac";\nsecret "{keys[host][0]}";\n{peers[host]}')
        lab.start(host, f'fastd --config {path}')
    wait_device(lab, 'tap0')
    return 'tap0'


def tinc(lab):
    """Mode = switch, both sides connected to the hub only."""
    keys = {}
    for host in HOSTS:
        write(f'tinc/{host}/tinc.conf', f'Name = {host}\nMode = switch\nInterface = tap0\n'
              + ('' if host == 'hub' else 'ConnectTo = hub\n'))
        keys[host] = write(f'tinc/{host}/hosts/{host}', '')
        # Without a terminal it takes its own names for both files of the pair.
        lab.run(None, f'tincd -c {FILES}/tinc/{host} -K 2048')
    for host in HOSTS:
        for other in set(HOSTS) - {host}:
            address = f'Address = {HUB[host]}\n' if other == 'hub' else ''
            with open(keys[other], encoding='utf-8') as key:
                write(f'tinc/{host}/hosts/{other}', address + key.read())
    for host in HOSTS:
        lab.start(host, f'tincd -c {FILES}/tinc/{host} -D --pidfile={FILES}/tinc/{host}/pid')
    wait_device(lab, 'tap0')
    return 'tap0'


def n2n(lab):
    """Relayed by the supernode: a and b have no path to each other."""
    supernode = lab.start('hub', 'supernode -l 7654')
    supernode.wait_for('ready')
    for number, host in enumerate('ab', 1):
        # -r: otherwise it drops what goes to other addresses than the one of -a.
        lab.start(host, f'edge -d tap0 -r -a 10.8.0.{number} -c bench -k secret '
                  f'-l {HUB[host]}:7654 -m 02:00:00:00:00:0{number}')
    wait_device(lab, 'tap0')
    return 'tap0'


def start_softether(lab, host, program, mode):
    """Starts its server or client; returns the process once it takes commands."""
    directories = '/run/softether /var/lib/softether /var/log/softether /tmp'
    # All that it keeps is in fixed places; private ones let several run side by side.
    process = lab.start(host, 'unshare --mount sh -c ' + shlex.quote(
        f'mkdir -p {directories} && for d in {directories}; do mount -t tmpfs tmpfs $d; done && '
        f'exec /usr/libexec/softether/{program}/{program} execsvc'))

    def answers():
        return 'completed successfully' in lab.run(
            host, f'vpncmd localhost /{mode} /CMD About', check=False)
    answers.__doc__ = f'{program} on {host} to take commands'
    lab.until(answers)
    return process


def softether(lab):
    """A virtual hub; one TLS connection over TCP from each side."""
    start_softether(lab, 'hub', 'vpnserver', 'SERVER')
    for command in ('/CMD HubCreate bench /PASSWORD:x',
                    '/ADMINHUB:bench /CMD UserCreate u /GROUP:none /REALNAME:none /NOTE:none',
                    '/ADMINHUB:bench /CMD UserPasswordSet u /PASSWORD:pw'):
        lab.run('hub', f'vpncmd localhost /SERVER {command}')
    for host in 'ab':
        client = start_softether(lab, host, 'vpnclient', 'CLIENT')
        for command in (
                'NicCreate v0',
                f'AccountCreate c /SERVER:{HUB[host]}:443 /HUB:bench /USERNAME:u /NICNAME:v0',
                'AccountPasswordSet c /PASSWORD:pw /TYPE:standard',
                # NOQOS: the priority queue would be a second connection.
                'AccountDetailSet c /MAXTCP:1 /INTERVAL:1 /TTL:0 /HALF:no /BRIDGE:no '
                '/MONITOR:no /NOTRACK:no /NOQOS:yes /DISABLEUDP:yes',
                'AccountConnect c'):
            lab.run(host, f'vpncmd localhost /CLIENT /CMD {command}')
        client.wait_for('VPN Session has been established')
    return 'vpn_v0'


RIVALS = {
    'weft': Rival('weft', weft, [party.WEFT]),
    'busy-poll': Rival('weft --busy-poll', weft_busy_poll, [party.WEFT]),
    'openvpn': Rival('OpenVPN tap, UDP', openvpn, ['openvpn', 'openssl']),
    'fastd': Rival('fastd tap', fastd, ['fastd']),
    'tinc': Rival('tinc switch', tinc, ['tincd']),
    'n2n': Rival('n2n relayed', n2n, ['supernode', 'edge']),
    'softether': Rival('SoftEther, TLS', softether, ['vpnserver', 'vpnclient', 'vpncmd']),
}


def missing_program(name):
    """The first program that a rival needs and that is not here, or None."""
    return next((p for p in RIVALS[name].programs if not shutil.which(p)), None)

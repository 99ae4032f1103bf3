# SPDX-License-Identifier: MIT
"""What `weft dump --headers` says of a frame is what tshark says of it, field by field.

    [ kernel 10.77.0.1/24, 2001:db8:77::1/64 ] --- tap0 --- [ weft echo, recorded ]

The corpus is what passes between the kernel and a stack of weft's: both build frames. Each of them
is then changed in a field or in a byte of its data, so that some sums are wrong and each field has
had values that nobody sends.
"""
import collections
import json
import random
import re
import shlex
import struct
import subprocess
import time

import netlab
import party as p
import pytest

SEED = 5
CHANGES = 400

# Traffic of the kernel's: UDP and TCP to the echo service and to where nobody listens, groups.
TRAFFIC = '''
import socket, struct
for host in ('10.77.0.2', '2001:db8:77::2'):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    for port in (7, 9):
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.settimeout(60)
            one.connect((host, port))
            for length in (0, 5, 3000) if port == 7 else (20,):
                one.send(b'x' * length)
                try:
                    one.recv(4000)
                except ConnectionRefusedError:
                    pass
    try:
        socket.create_connection((host, 9), timeout=60)
    except ConnectionRefusedError:
        pass
    with socket.create_connection((host, 7), timeout=60) as one:
        sent = got = 0
        data = b'y' * 60000
        one.sendall(data)
        while got < len(data):
            got += len(one.recv(65536))
for group in ('239.1.2.3', 'ff05::1:3'):
    with socket.socket(socket.AF_INET6 if ':' in group else socket.AF_INET, socket.SOCK_DGRAM) as one:
        if ':' in group:
            index = socket.if_nametoindex('tap0')
            member = socket.inet_pton(socket.AF_INET6, group) + struct.pack('@I', index)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
        else:
            member = socket.inet_aton(group) + socket.inet_aton('10.77.0.1')
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
'''


# A sum that the sender left to its link, in a capture: tshark calls it right since 4.2, wrong before.
LEFT = 'left'


def number(text):
    return {'True': 1, 'False': 0}.get(text) if text in ('True', 'False') else int(text, 0)


def first(text):
    """The value in front of what is said of it: 6 of "6 (TCP)"."""
    return number(text.split()[0].rstrip(','))


def after(name):
    """A number that has a name: df of "0 [df=1, mf=0]"."""
    return lambda text: number(re.search(name + r'(\w+)', text)[1])


def verdict(text):
    """tshark's word for what is known of a checksum."""
    if 'left to the link' in text:
        return LEFT
    return {'right': 1, 'wrong': 0, 'none': 3}.get(text.partition('(')[2].rstrip(')'), 2)


def same(text):
    return text


# Of each header: our field, how to read it, tshark's field, and how to read that.
FIELDS = {
    'ether': [('src', same, 'eth.src', same), ('dst', same, 'eth.dst', same),
              ('vlan', first, 'vlan.id', number), ('vlan', after('priority: '), 'vlan.priority', number)],
    'arp': [('op', first, 'arp.opcode', number), ('sha', same, 'arp.src.hw_mac', same),
            ('spa', same, 'arp.src.proto_ipv4', same), ('tha', same, 'arp.dst.hw_mac', same),
            ('tpa', same, 'arp.dst.proto_ipv4', same)],
    'ip': [('vhl', after('hl: '), 'ip.hdr_len', lambda text: number(text) // 4),
           ('tos', first, 'ip.dsfield', number), ('total', first, 'ip.len', number),
           ('id', first, 'ip.id', number),
           ('offset', first, 'ip.frag_offset', lambda text: number(text) * 8),
           ('offset', after('df='), 'ip.flags.df', number),
           ('offset', after('mf='), 'ip.flags.mf', number), ('ttl', first, 'ip.ttl', number),
           ('protocol', first, 'ip.proto', number), ('sum', first, 'ip.checksum', number),
           ('sum', verdict, 'ip.checksum.status', number), ('src', same, 'ip.src', same),
           ('dst', same, 'ip.dst', same)],
    'ip6': [('class', first, 'ipv6.tclass', number), ('flow', first, 'ipv6.flow', number),
            ('payload', first, 'ipv6.plen', number), ('next', first, 'ipv6.nxt', number),
            ('hop limit', first, 'ipv6.hlim', number), ('src', same, 'ipv6.src', same),
            ('dst', same, 'ipv6.dst', same)],
    'ip6_fragment': [('next', first, 'ipv6.fraghdr.nxt', number),
                     ('offset', first, 'ipv6.fraghdr.offset', lambda text: number(text) * 8),
                     ('offset', after('mf='), 'ipv6.fraghdr.more', number),
                     ('id', first, 'ipv6.fraghdr.ident', number)],
    'icmp': [('type', first, 'icmp.type', number), ('code', first, 'icmp.code', number),
             ('sum', first, 'icmp.checksum', number),
             ('sum', verdict, 'icmp.checksum.status', number),
             ('id', first, 'icmp.ident', number), ('seq', first, 'icmp.seq', number),
             ('mtu', first, 'icmp.mtu', number), ('gateway', same, 'icmp.redir_gw', same)],
    'icmp6': [('type', first, 'icmpv6.type', number), ('code', first, 'icmpv6.code', number),
              ('sum', first, 'icmpv6.checksum', number),
              ('sum', verdict, 'icmpv6.checksum.status', number),
              ('id', first, 'icmpv6.echo.identifier', number),
              ('seq', first, 'icmpv6.echo.sequence_number', number),
              ('flg', after('router='), 'icmpv6.nd.na.flag.r', number),
              ('flg', after('solicited='), 'icmpv6.nd.na.flag.s', number),
              ('flg', after('override='), 'icmpv6.nd.na.flag.o', number),
              ('source mac', same, 'icmpv6.opt.src_linkaddr', same),
              ('target mac', same, 'icmpv6.opt.target_linkaddr', same),
              ('records', first, 'icmpv6.mldr.nb_mcast_records', number)],
    'igmp': [('type', first, 'igmp.type', number), ('sum', first, 'igmp.checksum', number),
             ('sum', verdict, 'igmp.checksum.status', number),
             ('records', first, 'igmp.num_grp_recs', number)],
    'tcp': [('src', first, 'tcp.srcport', number), ('dst', first, 'tcp.dstport', number),
            ('seq', first, 'tcp.seq_raw', number), ('ack', first, 'tcp.ack_raw', number),
            ('off', lambda text: first(text) * 4, 'tcp.hdr_len', number),
            ('flg', first, 'tcp.flags', number), ('wnd', first, 'tcp.window_size_value', number),
            ('sum', first, 'tcp.checksum', number), ('sum', verdict, 'tcp.checksum.status', number),
            ('up', first, 'tcp.urgent_pointer', number), ('mss', first, 'tcp.options.mss_val', number),
            ('wscale', first, 'tcp.options.wscale.shift', number),
            ('timestamp', first, 'tcp.options.timestamp.tsval', number),
            ('timestamp', after('echo '), 'tcp.options.timestamp.tsecr', number),
            ('sack', lambda text: None if text == 'permitted' else first(text), 'tcp.options.sack_le',
             number),
            ('sack', lambda text: None if text == 'permitted' else after('to ')(text),
             'tcp.options.sack_re', number)],
    'udp': [('src', first, 'udp.srcport', number), ('dst', first, 'udp.dstport', number),
            ('len', first, 'udp.length', number), ('sum', first, 'udp.checksum', number),
            ('sum', verdict, 'udp.checksum.status', number)],
    'dhcp': [('op', first, 'dhcp.type', number), ('hops', first, 'dhcp.hops', number),
             ('type', first, 'dhcp.option.dhcp', number), ('xid', first, 'dhcp.id', number),
             ('secs', first, 'dhcp.secs', number), ('flg', after('broadcast='), 'dhcp.flags.bc', number),
             ('ciaddr', same, 'dhcp.ip.client', same), ('yiaddr', same, 'dhcp.ip.your', same),
             ('siaddr', same, 'dhcp.ip.server', same), ('giaddr', same, 'dhcp.ip.relay', same),
             ('chaddr', same, 'dhcp.hw.mac_addr', same),
             ('requested', same, 'dhcp.option.requested_ip_address', same),
             ('server', same, 'dhcp.option.dhcp_server_id', same),
             ('mask', same, 'dhcp.option.subnet_mask', same),
             ('lease', first, 'dhcp.option.ip_address_lease_time', number)],
}
# What stands in the identifier of a DHCP client as well.
REPEATED = {'dhcp.hw.mac_addr'}
# Lines that must have been compared so often, or the corpus is not what it is meant to be.
LEAST = {'ether.vlan': 20, 'arp.op': 4, 'ip.sum': 300, 'ip6.src': 100, 'ip6_fragment.id': 8,
         'icmp.seq': 8, 'icmp.type': 10, 'icmp6.seq': 8, 'icmp6.flg': 2, 'icmp6.source mac': 2,
         'icmp6.records': 1, 'igmp.records': 1, 'tcp.seq': 100, 'tcp.mss': 6, 'tcp.wscale': 6,
         'tcp.timestamp': 100, 'tcp.sack': 10, 'udp.len': 20, 'dhcp.type': 5, 'dhcp.lease': 2}


def record(lab, capture, address, traffic, link='tap:tap0,offload=off'):
    """Runs a host of weft's on the TAP while traffic passes, recorded in capture."""
    process = p.Weft(lab, 'kernel', f'{p.WEFT} echo --json --link capture:{capture}:{link} {address}')
    lab.processes.append(process)
    process.wait_event('ready')
    traffic(process)
    assert process.stop() == 0


def ordinary(lab):
    def run(_):
        for host in ('2001:db8:77::2', '10.77.0.2'):
            lab.until(lambda host=host: 'bytes from' in lab.run('kernel', f'ping -c1 -W1 {host}', False))
            assert lab.unanswered('kernel', host, 2, '-i 0.01 -s 3000') == []
        lab.run('kernel', shlex.join(['/usr/bin/python3', '-c', TRAFFIC]))
    return run


def lease(lab):
    def run(process):
        server = lab.start('kernel', 'dnsmasq --no-daemon --conf-file=/dev/null --port=0 '
                           '--user=root --group=root --interface=tap0 --bind-interfaces '
                           '--dhcp-range=10.77.0.100,10.77.0.199,1h --dhcp-authoritative '
                           '--dhcp-leasefile=/run/dump-leases --dhcp-option=3,10.77.0.1 --no-ping')
        server.wait_for('DHCP, IP range')
        process.wait_event('address')
    return run


def frames_of(capture):
    """The frames of a capture file."""
    data = capture.read_bytes()
    order = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    at, frames = 24, []
    while at < len(data):
        _, _, length, _ = struct.unpack_from(order + 'IIII', data, at)
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def tagged(frame, vlan, priority):
    """The frame as it passes on a trunk (802.1Q)."""
    return frame[:12] + struct.pack('>HH', 0x8100, priority << 13 | vlan) + frame[12:]


def write_capture(path, frames):
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for i, frame in enumerate(frames):
            file.write(struct.pack('<IIII', i, 0, len(frame), len(frame)) + frame)


def changed(rng, frame):
    """The frame with one byte changed that does not say where something begins or ends."""
    frame = bytearray(frame)
    kind = int.from_bytes(frame[12:14], 'big')
    if kind == 0x0800:
        end = 14 + (frame[14] & 15) * 4
        upper = {6: [0, 1, 2, 3, 4, 7, 8, 11, 13, 14, 15, 16, 17, 18, 19], 1: [1, 2, 3, 4, 5, 6, 7],
                 17: [2, 3, 6, 7]}.get(frame[23], [])
        places = [15, 18, 19, 22, 24, 25, *range(26, 34)]
        places += [] if frame[20] & 0x1f or frame[21] else [end + i for i in upper]
    elif kind == 0x86dd:
        upper = {6: [0, 1, 4, 7, 8, 11, 14, 15, 16, 17, 18, 19], 58: [2, 3],
                 17: [2, 3, 6, 7]}.get(frame[20], [])
        places = [16, 17, 21, *range(24, 54), *(54 + i for i in upper)]
    elif kind == 0x0806:
        places = [21, *range(22, 42)]
    else:
        places = range(12)
    at = rng.choice([at for at in (*places, len(frame) - 1) if at < len(frame)])
    frame[at] ^= rng.randrange(1, 256)
    return bytes(frame)


def decoded_by_weft(lab, capture):
    """Per frame: a list of (header, {field: [texts]})."""
    said = lab.run('kernel', f'{p.WEFT} dump --json --headers pcap:{capture},rate=fast')
    found = []
    for event in map(json.loads, said.splitlines()):
        if event['event'] != 'frame':
            continue
        headers = []
        for line in event['headers'].splitlines():
            name, _, text = line.strip().partition(': ')
            if not line.startswith(' '):
                headers.append((name, collections.defaultdict(list)))
            else:
                headers[-1][1][name].append(text)
        found.append(headers)
    return found


def decoded_by_tshark(capture):
    """Per frame: {field: [texts]}."""
    names = sorted({field[2] for fields in FIELDS.values() for field in fields})
    options = ['ip.check_checksum:TRUE', 'tcp.check_checksum:TRUE', 'udp.check_checksum:TRUE',
               'ip.defragment:FALSE', 'ipv6.defragment:FALSE', 'tcp.desegment_tcp_streams:FALSE',
               'tcp.relative_sequence_numbers:FALSE']
    command = ['tshark', '-n', '-r', str(capture), '-T', 'fields', '-E', 'occurrence=a']
    for option in options:
        command += ['-o', option]
    for name in names:
        command += ['-e', name]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, timeout=60).stdout
    return [{name: text.split(',') if text else [] for name, text in zip(names, line.split('\t'))}
            for line in said.splitlines()]


def compare(headers, theirs, compared):
    """Each of our fields against theirs; counts what was compared, yields where they differ."""
    # What an error quotes is decoded by tshark alone.
    has_quote = any(header.startswith('icmp') and 'id' not in ours for header, ours in headers)
    for header, ours in headers:
        for name, read, their_name, read_theirs in FIELDS.get(header, []):
            values = [value for value in map(read, ours[name]) if value is not None]
            wanted = [read_theirs(value) for value in theirs[their_name]]
            if has_quote or their_name in REPEATED:
                wanted = wanted[:len(values)]
            if LEFT in values or not values and not wanted:
                continue
            compared[f'{header}.{name}'] += 1
            if values != wanted:
                yield f'{header}.{name} is {values}, {their_name} {wanted}'


WAY = {'in': '0x00000001', 'out': '0x00000002'}  # epb_flags: the lowest two bits


def test_a_pcapng_says_which_way_a_frame_went(tmp_path):
    """What a host sent and got, by its own capture, as tshark reads it."""
    lab, file = netlab.Lab(), tmp_path / 'trace.pcapng'
    try:
        lab.host('one')
        lab.host('two')
        lab.cable('one', 'two', '', '10.7.0.2/24')
        lab.run('one', f'{p.WEFT} ping --count 1 --address 10.7.0.1/24 '
                       f'--link capture:{file}:packet:eth-two 10.7.0.2')
    finally:
        lab.close()
    said = subprocess.run(
        ['tshark', '-n', '-r', str(file), '-T', 'fields', '-e', 'frame.packet_flags', '-e',
         'frame.interface_name', '-e', 'frame.time_epoch', '-e', 'icmp.type', '-Y', 'icmp'],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    request, answer = (line.split('\t') for line in said.splitlines())
    assert (request[0], request[3]) == (WAY['out'], '8')
    assert (answer[0], answer[3]) == (WAY['in'], '0')
    assert request[1] == answer[1] == 'eth-two'
    assert abs(float(request[2]) - time.time()) < 600 and float(answer[2]) >= float(request[2])


def test_headers_agree_with_tshark(tmp_path):
    lab = netlab.Lab()
    try:
        lab.host('kernel')
        lab.run('kernel', 'ip tuntap add dev tap0 mode tap')
        for address in ('10.77.0.1/24', '2001:db8:77::1/64'):
            lab.run('kernel', f'ip address add {address} dev tap0')
        lab.run('kernel', 'ip link set tap0 up')
        static = '--address 10.77.0.2/24 --address 2001:db8:77::2/64'
        record(lab, tmp_path / 'ordinary', static, ordinary(lab),
               'impair:reorder=10%,delay=2ms:tap:tap0,offload=off')
        record(lab, tmp_path / 'lease', '--address dhcp', lease(lab))
        frames = frames_of(tmp_path / 'ordinary') + frames_of(tmp_path / 'lease')
        rng = random.Random(SEED)
        frames += [tagged(frame, 7, 5) for frame in frames[:20]]
        frames += [changed(rng, rng.choice(frames)) for _ in range(CHANGES)]
        write_capture(tmp_path / 'corpus', frames)
        ours, theirs = decoded_by_weft(lab, tmp_path / 'corpus'), decoded_by_tshark(tmp_path / 'corpus')
        assert len(ours) == len(theirs) == len(frames)
        compared = collections.Counter()
        differ = [(text, headers) for headers, fields in zip(ours, theirs)
                  for text in compare(headers, fields, compared)]
        assert differ[:3] == []
        print(len(frames), 'frames,', sum(compared.values()), 'fields:', dict(compared))
        assert {name: compared[name] for name, least in LEAST.items() if compared[name] < least} == {}
    finally:
        lab.close()

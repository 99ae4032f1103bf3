# SPDX-License-Identifier: MIT
"""Who speaks QUIC to a relay, and means it ill: real packets, a real relay, and two who play.

    alice (player) ----.
                       |--- relay ---- villains (gateway): tests/lan/villain.c, by villain.c
    bob (player2) -----'               and packets that are no QUIC at all

Whatever they do, alice's pings of bob are all answered, a TCP connection between them goes on,
the relay counts what it refuses by its name, closes whom it has to close, and does not grow.
"""
import collections
import json
import re

import pytest

import netlab
import party as p

VILLAIN = str(p.ROOT / 'build/tests/e2e/villain')
ALICE, BOB = '02:00:00:00:00:01', '02:00:00:00:00:02'
GROWTH_KIB = 150 * 64  # that many connections at a time, at what docs/relay.md says one costs

# What each kind is counted by: those of the relay and its sessions, or of its member.
KINDS = {
    'forges headers': ['sessions drop-malformed', 'sessions drop-wrong-ids'],
    'spoofs sources': ['frames drop-spoofed', 'frames drop-bad-source'],
    'sends what is for switches': ['filter drop-eapol', 'filter drop-lldp', 'filter drop-slow',
                                   'filter drop-vlan', 'frames drop-reserved'],
    'is someone else': ['filter drop-router', 'filter drop-dhcp-server',
                        'filter drop-dhcp6-server', 'filter drop-headers'],
    'is in every group': ['sessions received'],
    'has every address': ['sessions received'],
    'is a large LAN': ['frames drop-spoofed'],
    'floods everybody': ['filter drop-group-rate'],
    'floods nobody': ['filter drop-unknown-rate'],
    'floods bob': ['sessions received'],
    'throws noise': ['sessions drop-malformed', 'closes protocol'],
    'throws parts': ['sessions part'],
    'throws giants': ['sessions drop-too-long', 'closes protocol'],
    'throws runts': ['sessions drop-runt', 'sessions drop-malformed', 'closes protocol'],
    'chatters': ['closes too-many'],
    "claims others' MACs": ['members denied'],
    'talks nonsense': ['closes protocol'],
    'nests deeply': ['closes protocol'],
    'announces wrong lengths': ['closes protocol'],
    'talks slowly': [],
    'says hello again': ['closes protocol'],
    'opens streams': ['closes protocol'],
    'ends the stream': ['closes protocol'],
    'comes and goes': ['closes normal'],
    'falls silent': [],
    'reads nothing': ['sessions received'],
    'says nothing': ['closes hello-timeout'],
    'says half a hello': ['closes hello-timeout'],
    'is early': ['relay early_datagrams', 'closes hello-timeout'],
    'proves nothing': ['rejects bad-proof', 'closes refused'],
    'replays a proof': ['rejects bad-proof', 'closes refused'],
    "wants alice's MAC": ['rejects mac-taken', 'closes refused'],
    'knocks and runs': [],
}

# How often he is to be closed: more often where he does something else each time, once where it
# takes long.
VISITS = {'talks nonsense': 15, 'announces wrong lengths': 4, 'says nothing': 1,
          'says half a hello': 1, 'is early': 1}


def facts(lab):
    """The relay's, as `weft status --json` has them."""
    said = lab.run('relay', f'{p.WEFT} status --json {lab.relay.popen.pid}')
    return json.loads(said)['facts']


def counts(lab):
    """All of its counters, and those of its members together: 'sessions drop-runt' and so on."""
    now, found = facts(lab), collections.Counter()
    for part in 'rejects', 'closes', 'sessions', 'frames', 'udp':
        found.update({f'{part} {name}': count for name, count in now[part].items()})
    for member in (member for room in now['rooms'] for member in room['members']):
        found.update({f'filter {name}': count for name, count in member['filter'].items()})
        found['members denied'] += member['denied']
    found['relay early_datagrams'] = now['early_datagrams']
    return found


def start_villains(lab, kind, number, many=1, invitation=None):
    """Of MACs that end in number and up: who is killed is missed only later, and holds its own."""
    villains = p.Weft(lab, 'gateway', f'{VILLAIN} "{kind}" {invitation or lab.invitation} '
                      f'{number} {many}')
    lab.processes.append(villains)
    return villains


def tally(villains):
    told = villains.events('tally')
    return told[-1] if told else collections.Counter()


# Sends a block each 20 ms and reads it back; says how many have come.
TALK = '''/usr/bin/python3 -c "
import socket, time
s = socket.create_connection(('{}', 7000))
n = 0
while True:
    block = n.to_bytes(4, 'big') * 250
    s.sendall(block)
    assert s.recv(1000, socket.MSG_WAITALL) == block
    n += 1
    print(n)
    time.sleep(0.02)
"'''


class Honest:
    """Alice and bob: what they have to each other may not suffer."""

    def __init__(self, lab):
        self.lab = lab
        self.players = [lab.weft(host, f'join --json {lab.invitation} --name {name} --mac {mac}')
                        for host, name, mac in (('player', 'alice', ALICE),
                                                ('player2', 'bob', BOB))]
        for player in self.players:
            player.wait_event('address')
        self.bob = lab.address('player2')
        lab.start('player2', f'socat TCP-LISTEN:7000,bind={self.bob} PIPE')
        lab.until(self.listens)
        self.talk = lab.start('player', TALK.format(self.bob))
        self.talk.wait_for('^1$')
        self.begin_kib = lab.relay.resident_kib()

    def listens(self):
        """bob's socat to listen"""
        return ':7000' in self.lab.run('player2', 'ss -ltn')

    def said(self):
        return self.talk.output().count('\n')

    def begin(self):
        self.before = self.said()
        self.pings = self.lab.start('player', f'ping -n -i 0.02 {self.bob}')
        self.pings.wait_for('icmp_seq=1 ')

    def end(self):
        """The connection went on, and the relay is as large as it was; returns which pings were
        lost."""
        before = self.said()
        self.lab.until(lambda: self.said() > before)
        self.pings.stop(netlab.signal.SIGINT)
        answered = max(map(int, re.findall(r'icmp_seq=(\d+) ttl', self.pings.output())))
        assert self.talk.is_running() and self.said() > self.before
        for player in self.players:
            assert len(player.events('joined')) == 1
        grown = self.lab.relay.resident_kib() - self.begin_kib
        assert grown < GROWTH_KIB, f'the relay has grown by {grown} KiB'
        print(f'{answered} pings, relay {grown:+} KiB')
        return netlab.missing_answers(self.pings.output(), answered)


def start_evening(lab, options=''):
    lab.relay = lab.start_relay(options)
    lab.honest = Honest(lab)
    return lab


@pytest.fixture(scope='module')
def evening(tmp_path_factory):
    """One relay for all of them, so that what one leaves behind is seen with the next."""
    lab = p.Party(state=str(tmp_path_factory.mktemp('state')))
    yield start_evening(lab, '--members 100')
    lab.close()


def test_every_kind_is_here(evening):
    assert evening.run('gateway', VILLAIN).splitlines() == list(KINDS)


@pytest.mark.parametrize('kind', KINDS)
def test_a_villain(evening, kind):
    expected = KINDS[kind]
    before = counts(evening)
    evening.honest.begin()
    villain = start_villains(evening, kind, 10 + list(KINDS).index(kind))

    def is_done():
        done, now = tally(villain), counts(evening)
        has_to_go = any(name.startswith('closes') for name in expected)
        is_enough = done['ends'] >= VISITS.get(kind, 2) if has_to_go else done['deeds'] >= 100
        return is_enough and all(now[name] > before[name] for name in expected)
    is_done.__doc__ = f'who {kind} to have done it, and {expected} to be counted'
    evening.until(is_done)
    villain.stop()
    assert tally(villain)['other_ends'] == 0, villain.output()
    assert evening.honest.end() == []


def is_ever_unharmed(lab, attempt, tries=5):
    """Whether all pings are answered once: where a crowd holds up a queue, some never are; that
    one waits for a crowded machine can be."""
    def lost(number):
        lab.honest.begin()
        attempt(number)
        return lab.honest.end()
    return any(lost(number) == [] for number in range(tries))


def test_a_room_full_of_them(party):
    """Who come, claim all that they may, and go, as fast as they can."""
    start_evening(party, '--members 100')

    def attempt(number):
        before = counts(party)['closes normal']
        crowd = start_villains(party, 'comes and goes', 100 + 14 * number, many=14)
        party.until(lambda: tally(crowd)['ends'] >= 150)
        crowd.stop()
        assert tally(crowd)['other_ends'] == 0, crowd.output()
        assert counts(party)['closes normal'] >= before + 150
    assert is_ever_unharmed(party, attempt)


def test_who_reads_nothing_has_to_go(party):
    """What others' coming and going has to tell him is kept up to a limit, and then he is not."""
    start_evening(party, '--members 100')

    def attempt(number):
        before = counts(party)['closes too-slow']
        deaf = start_villains(party, 'reads nothing', 60 + number)
        party.relay.wait_event('came', mac=f'02:00:00:00:00:{60 + number:02x}')
        crowd = start_villains(party, 'comes and goes', 100 + 13 * number, many=13)
        party.until(lambda: counts(party)['closes too-slow'] > before)
        deaf.stop()
        crowd.stop()
    assert is_ever_unharmed(party, attempt)


def test_who_was_thrown_out_comes_back_in_vain(evening):
    """With the pass of its invitation, which the relay lets in no more."""
    own = evening.run('relay', f'{p.WEFT} invite {evening.invitation} --expires 1d').strip()
    evening.honest.begin()
    before = counts(evening)
    villain = start_villains(evening, 'talks slowly', 61, invitation=own)
    evening.until(lambda: tally(villain)['deeds'] > 0)
    evening.run('relay', f'{p.WEFT} kick --state {evening.state}/relay stranger')
    evening.until(lambda: counts(evening)['rejects pass'] >= before['rejects pass'] + 2)
    villain.stop()
    assert counts(evening)['closes kicked'] == before['closes kicked'] + 1
    assert evening.honest.end() == []


def test_whoever_sends_one_packet_gets_less_than_three(evening):
    """RFC 9000, 8.1: an address that has proved nothing gets no more than three times its bytes."""
    evening.honest.begin()
    crowd = start_villains(evening, 'knocks and runs', 100, many=50)
    evening.until(lambda: tally(crowd)['visits'] > 50)
    crowd.stop()
    # The whole of each one's first visit, 9 s, and nothing of a second.
    told = [t for t in crowd.events('tally') if t['visits'] == 50][-1]
    print(told)
    assert 0 < told['received'] <= 3 * told['sent']
    assert evening.honest.end() == []


# ---- packets that are no connection's -----------------------------------------------------

# Sends from a socket of its own, waits for what comes back, and says how many bytes each were.
THROW = '''/usr/bin/python3 -c "
import random, socket, sys
random.seed(1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('{relay}', 443))
s.settimeout(2)
sent = received = answers = longest = 0
for n in range({count}):
    packet = {packet}
    sent += s.send(packet)
    if n % 250 < 249 and n < {count} - 1:
        continue
    try:
        while True:
            received += len(s.recv(65535))
            answers += 1
            s.settimeout(0.2 if n < {count} - 1 else 2)
    except TimeoutError:
        pass
print(sent, received, answers)
"'''

RANDOM_IDS = 'bytes([8]) + random.randbytes(8) + bytes([8]) + random.randbytes(8)'
INITIAL = f'bytes([0xc3, 0, 0, 0, 1]) + {RANDOM_IDS}'
PACKETS = {
    'nothing': ("b''", 200, [], 0),
    'noise': ('random.randbytes(n * 7 % 1400)', 1000, ['udp drop_unknown'], 1),
    'short': ('bytes([0x40]) + random.randbytes(40 + n % 1200)', 500, ['udp resets'], 1),
    # A reset may not answer what could be one itself.
    'too-short': ('bytes([0x40]) + random.randbytes(n % 20)', 500, ['udp drop_unknown'], 0),
    'other-version': (f'bytes([0xc3, 0xba, 0xad, 0xf0, 0x0d]) + {RANDOM_IDS} + bytes(1179)', 500,
                      ['udp version_negotiations'], 1),
    # What a version 1 client would have padded, but did not.
    'other-version-small': (f'bytes([0xc3, 0xba, 0xad, 0xf0, 0x0d]) + {RANDOM_IDS} + bytes(900)',
                            500, ['udp drop_malformed'], 0),
    # A server's own answer to that, thrown back at it: the two would never stop.
    'version-negotiation': (f'bytes([0xc3, 0, 0, 0, 0]) + {RANDOM_IDS} + bytes([0, 0, 0, 1]) * 299',
                            500, ['udp drop_unknown'], 0),
    'small-initial': (f'{INITIAL} + bytes([0, 0x44, 0xa0]) + random.randbytes(600)', 500,
                      ['udp drop_unknown'], 0),
    'false-initial': (f'{INITIAL} + bytes([0, 0x44, 0x96]) + random.randbytes(1176)', 2000,
                      ['udp retries'], 1),
    # As the tokens of Retry begin, of one version of ngtcp2 or the other.
    'false-token': (f'{INITIAL} + bytes([60, 0xb6 + n % 2]) + random.randbytes(59) + '
                    'bytes([0x44, 0x5a]) + random.randbytes(1120)', 500, ['udp refusals'], 1),
    # As those of NEW_TOKEN: as good as none, so it is the rate that asks for a Retry.
    'false-new-token': (f'{INITIAL} + bytes([60, 0x36]) + random.randbytes(59) + '
                        'bytes([0x44, 0x5a]) + random.randbytes(1120)', 2000, ['udp retries'], 1),
    'handshake-first': (f'bytes([0xe3, 0, 0, 0, 1]) + {RANDOM_IDS} + bytes([0x44, 0x96]) + '
                        'random.randbytes(1174)', 500, ['udp drop_unknown'], 0),
}


@pytest.mark.parametrize('packet, count, expected, most', PACKETS.values(), ids=PACKETS)
def test_packets_of_no_connection(evening, packet, count, expected, most):
    """They are counted, cost nothing, and are answered by no more bytes than they are."""
    evening.honest.begin()
    before = counts(evening)
    said = evening.run('gateway', THROW.format(relay=p.RELAY, count=count, packet=packet))
    sent, received, answers = map(int, said.split())
    print(said)
    now = counts(evening)
    assert received <= most * sent and (answers > 0) == (most > 0)
    assert all(now[name] > before[name] for name in expected), now - before
    assert evening.honest.end() == []


def test_more_connections_than_an_address_may_have(party):
    start_evening(party, '--sessions 8')
    party.honest.begin()
    crowd = start_villains(party, 'says nothing', 100, many=30)
    crowd.wait_for('too many connections from this address')
    crowd.stop()
    assert counts(party)['udp refusals'] > 0
    assert party.honest.end() == []


def test_who_comes_during_a_flood(evening):
    """Beginnings of connections that lead nowhere, hundreds a second: others come in by Retry."""
    packet, _, _, _ = PACKETS['false-initial']
    evening.honest.begin()
    before = counts(evening)['udp retries']
    flood = evening.start('gateway', THROW.format(relay=p.RELAY, count=1000000, packet=packet))
    evening.until(lambda: counts(evening)['udp retries'] > before + 100)
    late = evening.weft('player2', f'join --json {evening.invitation} --link tap:weft1 --name late '
                        '--mac 02:00:00:00:00:03')
    late.wait_event('joined')
    assert late.events('state')[-1]['state'] == 'joined' and flood.is_running()
    late.stop()
    flood.stop()
    assert evening.honest.end() == []


def test_at_a_host(party):
    """`weft host` is a relay that takes part itself: some who are let in, and some who are not."""
    party.relay = party.weft('relay', f'host --json --public {p.RELAY}')
    party.invitation = party.relay.wait_event('invitation')['invitation']
    party.honest = Honest(party)
    party.honest.begin()
    crowds = [start_villains(party, kind, number, many=4) for kind, number in
              (('throws noise', 100), ('talks nonsense', 110), ('proves nothing', 120))]
    party.until(lambda: all(tally(crowd)['ends'] >= 8 for crowd in crowds))
    own = party.relay.wait_event('address')['address'].split('/')[0]
    assert party.unanswered('player', own) == []
    for crowd in crowds:
        crowd.stop()
        assert tally(crowd)['other_ends'] == 0, crowd.output()
    now = counts(party)
    assert now['closes protocol'] >= 16 and now['rejects bad-proof'] >= 8
    assert party.honest.end() == []

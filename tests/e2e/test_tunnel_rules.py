# SPDX-License-Identifier: MIT
"""weft tunnel: who may talk to whom, and ways out, with the kernel at all ends.

    site (10.0.0.2, fd00::2) === hub (10.0.0.1, fd00::1) === away (10.0.0.3, fd00::3)
"""
import pytest

from tunnels import CLIENT, HASHES, SERVER, facts_at_end, hang_up, lab, ping, tunnel

CONF = {**SERVER, 'net6': 'fd00::1/64', 'clients': [
    {'name': 'site', 'token': HASHES['test'], 'ips': ['10.0.0.2', 'fd00::2']},
    {'name': 'away', 'token': HASHES['foo'], 'ips': ['10.0.0.3', 'fd00::3']}]}


@pytest.fixture
def three(lab):
    lab.host('away')
    lab.cable('hub', 'away', '192.0.2.5/30', '192.0.2.6/30')
    return lab


def connect(lab, conf):
    hub = tunnel(lab, 'hub', conf)
    site = tunnel(lab, 'site', CLIENT)
    away = tunnel(lab, 'away', {**CLIENT, 'server': 'http://192.0.2.5:8080/', 'token': 'foo'})
    site.wait_event('connected')
    away.wait_event('connected')
    return hub, site, away


def is_silent(lab, host, address):
    return ' 0 received' in lab.run(host, f'ping -c2 -i0.2 -W1 {address}', check=False)


def rule(one, other):
    return {'from': one, 'to': other, 'protocol': 'icmp'}


def test_only_what_a_rule_allows(three):
    hub, _, _ = connect(three, {**CONF, 'acl': [rule('site', 'away')]})
    for site, away in (('10.0.0.2', '10.0.0.3'), ('fd00::2', 'fd00::3')):
        ping(three, 'site', away)
        assert is_silent(three, 'away', site)
    assert is_silent(three, 'site', '10.0.0.1')
    assert is_silent(three, 'hub', '10.0.0.2')
    facts = facts_at_end(hub)
    assert facts['packets']['drop-denied'] >= 6
    assert facts['acl']['verdicts']['known'] >= 2


def test_rules_change_by_a_reload(three):
    hub, _, _ = connect(three, {**CONF, 'acl': [rule('site', 'away')]})
    ping(three, 'site', '10.0.0.3')
    hang_up(hub, {**CONF, 'acl': [rule('away', '10.0.0.2')]})
    ping(three, 'away', '10.0.0.2')
    assert is_silent(three, 'site', '10.0.0.3')
    hang_up(hub, CONF, number=2)
    ping(three, 'site', '10.0.0.3')


@pytest.mark.parametrize('mode', ['failover', 'balance'])
def test_one_exit_stands_in_for_the_other(three, mode):
    """203.0.113.9 is at both clients; whoever of them is left answers the server."""
    exits = [{'from': '__self__', 'via': ['site', 'away'], 'mode': mode}]
    _, site, _ = connect(three, {**CONF, 'exits': exits})
    three.run('hub', 'ip route add 203.0.113.9 dev tun0')
    for host in ('site', 'away'):
        three.run(host, 'ip address add 203.0.113.9/32 dev lo')
    ping(three, 'hub', '203.0.113.9')
    assert site.stop() == 0
    ping(three, 'hub', '203.0.113.9')
    assert is_silent(three, 'hub', '10.0.0.2')

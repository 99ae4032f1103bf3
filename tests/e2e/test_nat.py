# SPDX-License-Identifier: MIT
"""A relay behind a NAT that forwards it one UDP port, as at home; and a player behind another.

    relay 10.0.0.2 --- front (NAT) 203.0.113.1 ---+--- 203.0.113.7 home (NAT) --- player 192.168.1.2
                                                  '--- 198.51.100.2 player2, with no NAT
"""
import re

import netlab
import party as p
import pytest

FORWARD = ('table ip nat { chain pre { type nat hook prerouting priority dstnat; '
           'iifname != "inside" udp dport 443 counter dnat to 10.0.0.2; }; }')
MASQUERADE = ('table ip nat { chain post { type nat hook postrouting priority srcnat; '
              'oifname "outside" masquerade; }; }')


class Homes(p.Party):
    def __init__(self, state):  # pylint: disable=super-init-not-called
        netlab.Lab.__init__(self)
        self.state = state
        self.invitation = None
        for name in ('relay', 'front', 'home', 'player', 'player2'):
            self.host(name)
        self.cable('front', 'relay', '10.0.0.1/24', '10.0.0.2/24', name_a='inside')
        self.cable('front', 'home', '203.0.113.1/24', '203.0.113.7/24', name_b='outside')
        self.cable('front', 'player2', '198.51.100.1/30', '198.51.100.2/30')
        self.cable('home', 'player', '192.168.1.1/24', '192.168.1.2/24')
        for name, gateway in (('relay', '10.0.0.1'), ('home', '203.0.113.1'),
                              ('player2', '198.51.100.1'), ('player', '192.168.1.1')):
            self.run(name, f'ip route add default via {gateway}')
        for name in ('front', 'home'):
            self.run(name, 'sysctl -qw net.ipv4.ip_forward=1')
        self.rules('front', FORWARD)
        self.rules('home', MASQUERADE)

    def rules(self, host, text):
        self.run(host, f"nft '{text}'")


@pytest.fixture
def homes(tmp_path):
    lab = Homes(str(tmp_path))
    yield lab
    lab.close()


def reaches(lab, host, target):
    def pong():
        return lab.ping(host, target, 1)[0] == 0
    pong.__doc__ = f'{target} answering {host}'
    return lab.until(pong)


def test_a_relay_behind_a_nat(homes):
    """The invitation names the router's address, and the players meet."""
    homes.start_relay()
    assert '203.0.113.1' in homes.invitation
    player = homes.start_player('player')
    homes.start_player('player2').wait_event('address')
    player.wait_event('address')
    assert reaches(homes, 'player', homes.address('player2'))
    assert reaches(homes, 'player2', homes.address('player'))
    listed = homes.run('relay', f'{p.WEFT} members party')
    assert '203.0.113.7' in listed and '198.51.100.2' in listed and '192.168' not in listed

    # The router at home gets another address, and forgets which port was the player's.
    homes.run('home', 'ip address del 203.0.113.7/24 dev outside')
    homes.run('home', 'ip address add 203.0.113.8/24 dev outside')
    homes.run('home', 'ip route replace default via 203.0.113.1')
    assert reaches(homes, 'player', homes.address('player2'))
    assert len(player.events('joined')) == 1
    homes.until(lambda: '203.0.113.8' in homes.run('relay', f'{p.WEFT} members party'))
    # And it was the one rule for the one port that let them in.
    packets, = re.findall(r'counter packets (\d+)', homes.run('front', 'nft list table ip nat'))
    assert int(packets) >= 2

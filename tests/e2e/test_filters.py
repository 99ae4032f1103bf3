# SPDX-License-Identifier: MIT
"""The rules of a room and of its members, as an operator sets and sees them (docs/filters.md)."""
import json

import netlab
import party as p


def reaches(party, host, target):
    def pong():
        return party.ping(host, target, 1)[0] == 0
    pong.__doc__ = f'{target} answering {host}'
    return party.until(pong)


def test_rules_of_a_room_and_of_a_member(party):
    """From the command line and while it runs, shown, in force, and known after a restart."""
    relay = party.start_relay(f'--filter party:group=70 --filter party/{p.MACS["player"]}:macs=2')
    addresses = {name: party.start_player(name).wait_event('address')['address'].split('/')[0]
                 for name in ('player', 'player2')}
    reaches(party, 'player2', addresses['player'])

    def run(words):
        return party.run('relay', f'{p.WEFT} {words}')

    def shown():
        room, = map(json.loads, run('filter party --json').splitlines())
        return room['rules'], {m['name']: m['rules'] for m in room['members']}

    rules, members = shown()
    assert rules['group'] == '70/140' and rules['macs'] == '16' and rules['bytes'] == 'off'
    assert members['player'] == {**rules, 'macs': '2'} and members['player2'] == rules

    # Nothing of what it sends passes, at once.
    assert 'bytes=1/1' in run('filter party player bytes=1/1')
    assert party.until(lambda: party.ping('player2', addresses['player'], 1)[0] == 1)
    run('filter party eapol=off')
    assert 'group=70/140 eapol' not in run('status') and 'eapol=off group=70/140' in run('status')
    listed = run('members party').splitlines()
    assert 'bytes=1/1 macs=2' in listed[2] and len(listed) == 4  # a head, two members, its rules

    relay.stop()
    relay = party.start_relay()  # without the rules of the command line
    relay.wait_event('came', name='player')
    relay.wait_event('came', name='player2')
    rules, members = shown()
    assert rules['eapol'] == 'off' and rules['group'] == '200/400'
    assert members['player'] == {**rules, 'bytes': '1/1'}
    assert 'eapol=on' in run('filter party eapol=default')
    run('filter party player bytes=default')
    assert reaches(party, 'player2', addresses['player'])
    assert 'own_rules' not in run('status relay --json')


def test_words_that_are_no_rules(party):
    """Said before anything is changed, with what would be right; and what has nobody yet."""
    party.start_relay()
    party.start_player('player').wait_event('address')
    for words, answer in (
            ('party gruop=3', 'did you mean "group"?'),
            ('party eapol=off macs=99', 'macs is a number from 0 to 16'),
            ('party player snoop=off', 'snoop is a rule of whole rooms'),
            ('party eapol=off player', 'a room and a member come first'),
            ('a/b eapol=off', 'no name of a room')):
        asked = party.start('relay', f'{p.WEFT} filter {words}')
        assert asked.popen.wait(netlab.PATIENCE) == 2 and answer in asked.output()
    assert 'eapol=on' in party.run('relay', f'{p.WEFT} filter party')
    assert 'has a room monday' in party.run('relay', f'{p.WEFT} filter monday', check=False)
    assert 'no room monday is open now' in party.run('relay', f'{p.WEFT} filter monday group=3')
    assert 'nobody there is called alcie' in party.run(
        'relay', f'{p.WEFT} filter party alcie group=3')
    wrong = party.weft('player2', 'relay --filter party/player:gruop=3')
    assert wrong.popen.wait(netlab.PATIENCE) == 2
    assert '--filter party/player:gruop=3: there is no rule "gruop"' in wrong.output()

# SPDX-License-Identifier: MIT
"""What must not work, and what the user is told then."""
import base64
import pathlib
import shlex

import pytest

import netlab
import party as p


def nobody():
    """What makes of a command one without rights; a user namespace has only one user."""
    with open('/proc/self/uid_map') as lines:
        has_nobody = int(lines.read().split()[2]) > 65534
    user = '--reuid 65534 --clear-groups' if has_nobody else '--inh-caps=-all'
    return f'setpriv {user} --bounding-set=-all'


def change_key(invitation, offset):
    """The invitation with one bit of its key turned."""
    head, key = invitation.split('#')
    raw = bytearray(base64.urlsafe_b64decode(key + '=' * (-len(key) % 4)))
    raw[offset] ^= 1
    return head + '#' + base64.urlsafe_b64encode(raw).decode().rstrip('=')


def test_wrong_relay_key(party):
    party.start_relay()
    party.invitation = change_key(party.invitation, 0)
    player = party.start_player()
    assert 'another key' in player.wait_event('state', state='refused')['reason']
    assert player.popen.wait(netlab.PATIENCE) == 1


def test_wrong_room_key(party):
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    party.invitation = change_key(party.invitation, -1)
    event = party.start_player().wait_event('state', state='refused')
    assert 'invitation' in event['reason']


def test_second_gateway(party):
    party.start_relay()
    party.start_gateway().wait_event('state', state='joined')
    party.run('player2', 'ip link add lan0 type veth peer name lan1')
    party.run('player2', 'ip link set lan1 up')
    party.run('player2', 'ip link set lan0 up')
    second = party.weft('player2', f'gateway --json lan0 {party.invitation}')
    event = second.wait_event('state', state='waiting')
    assert 'gateway' in event['reason']


def test_duplicate_mac(party):
    party.start_relay()
    party.start_player('player').wait_event('state', state='joined')
    event = party.start_player('player2', f'--mac {p.MACS["player"]}').wait_event(
        'state', state='waiting')
    assert p.MACS['player'] in event['reason']


def test_relay_is_not_there(party):
    party.invitation = f'weft://{p.RELAY}/party#{"A" * 64}'
    event = party.start_player().wait_event('state', state='waiting')
    assert 'answer' in event['reason']


@pytest.mark.parametrize('cut, why', [
    (f'ip route del {p.RELAY}', 'Network is unreachable'),
    ('nft add table t; nft add chain t c "{ type filter hook output priority 0; policy drop; }"',
     'Operation not permitted'),
])
def test_nothing_can_be_sent_to_the_relay(party, cut, why):
    """Then it is this machine that something is wrong with, and neither the relay nor the way."""
    party.run('player', f"sh -c '{cut}'")
    party.invitation = f'weft://{p.RELAY}/party#{"A" * 64}'
    event = party.start_player().wait_event('state', state='waiting')
    assert f'nothing can be sent to {p.RELAY}' in event['reason'] and why in event['reason']


@pytest.mark.parametrize('command, words', [
    ('', ['join a room with an invitation', 'tunnel']),
    ('join', ['INVITATION', 'weft help join']),
    ('join weft://', ['/ROOM']),
    ('join http://x/y#z', ['weft://']),
    ('join weft://h/r#short', ['key']),
    ('join --mtu weft://h/r#' + 'A' * 64, ['--mtu']),
    ('jion x', ['join']),
    ('relay --listen 99999', ['99999']),
    ('relay --lisen 443', ['--listen']),
    ('relay --mtu 100', ['--mtu', '1000 to 1500']),
    ('relay --room a/b', ['--room', 'a/b', 'letters']),
    ('relay --public a/b', ['--public', 'a/b', 'relay.example.org']),
    ('relay --cert x', ['--cert', '--key']),
    ('host a/b', ['ROOM']),
    ('host --address 10.0.0.1', ['--address', '10.0.0.1', 'prefix']),
    ('join --address 10.0.0.1 weft://h/r#' + 'A' * 64, ['--address', 'dhcp', 'prefix']),
    ('join --name a/b weft://h/r#' + 'A' * 64, ['--name', 'a/b']),
    ('join --link packet:eth0 --state /run/x weft://h/r#' + 'A' * 64, ['tap:', 'gateway']),
    ('join --link tun:t0 --state /run/x weft://h/r#' + 'A' * 64, ['tap:']),
    ('relay --listen 443/tcp', ['443/tcp', 'UDP']),
    ('bridge', ['LINK']),
    ('bridge tap:x,colour=red tap:y', ['colour']),
    ('bridge tpa:x tap:y', ['tap']),
    ('bridge tap:averyveryverylongname tap:y', ['15']),
])
def test_bad_command_lines_are_explained(party, command, words):
    """Says what is wrong and how to mend it, in one go, without a crash."""
    process = netlab.Process(party, 'player', f'{p.WEFT} {command}')
    party.processes.append(process)
    assert process.popen.wait(netlab.PATIENCE) == 2, process.output()
    for word in words + ['weft help']:
        assert word in process.output()


def test_no_such_interface(party):
    party.invitation = f'weft://{p.RELAY}/party#{"A" * 64}'
    process = party.weft('player', f'gateway nosuch0 {party.invitation}')
    assert process.popen.wait(netlab.PATIENCE) == 1
    assert 'nosuch0' in process.output() and 'eth0' in process.output()


@pytest.mark.parametrize('make, device, words', [
    ('ip link set lo up', 'lo', 'lo is not an Ethernet interface'),
    ('ip tuntap add tun7 mode tun', 'tun7', 'tun7 is not an Ethernet interface'),
    ('ip link add cut0 up type veth peer name cut1', 'cut0', 'cut0 has no carrier'),
])
def test_lan_that_cannot_be_a_gateways(party, make, device, words):
    """It is said at once, and the relay (there is none) is not asked."""
    party.run('player', make)
    party.invitation = f'weft://{p.RELAY}/party#{"A" * 64}'
    process = party.weft('player', f'gateway {device} {party.invitation}')
    assert process.popen.wait(netlab.PATIENCE) == 1
    assert words in process.output()


def test_a_wireless_lan_is_no_gateways(party):
    """The kernel names the radio of a device under /sys; here that is all there is of one."""
    weft = f'{p.WEFT} gateway eth0 weft://{p.RELAY}/party#{"A" * 64}'
    said = party.run('player', 'unshare --mount sh -c ' + shlex.quote(
        'mount -t tmpfs tmpfs /sys/class/net && mkdir -p /sys/class/net/eth0/phy80211 && '
        f'{weft}'), check=False)
    assert 'eth0 is wireless' in said and 'use a wired interface' in said


@pytest.mark.parametrize('name, content, words', [
    ('mac', b'short', ['/mac is damaged', 'remove it']),
    ('mac', b'\xff' * 6, ['/mac is damaged', 'remove it']),
    ('room-lan.secret', b'', ['/room-lan.secret is damaged', 'remove it']),
    ('relay.secret', b'x', ['/relay.secret is damaged', 'remove it']),
    ('relay.crt', b'\0garbage', ['relay.crt', 'certificate', 'remove']),
    ('relay.key', b'\0garbage', ['relay.key', 'key', 'remove']),
    ('relay.key', None, ['relay.key', 'put it back']),
])
def test_damaged_state(party, name, content, words):
    """A state file that is not what it was: said by its name, and never overwritten."""
    def host():
        return party.weft('player', 'host --json --public 198.51.100.2')
    first = host()
    first.wait_event('invitation')
    assert first.stop() == 0
    path = pathlib.Path(party.state, 'player', name)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    again = host()
    assert again.popen.wait(netlab.PATIENCE) == 1
    for word in words:
        assert word in again.output()
    assert (path.read_bytes() if path.exists() else None) == content


def test_state_directory_not_writable(party):
    party.state = '/proc'
    process = party.weft('relay', 'relay')
    assert process.popen.wait(netlab.PATIENCE) == 1
    assert '/proc/relay' in process.output() and '--state DIR' in process.output()


def test_typo_in_the_invitation(party):
    """Each part of it that can be wrong by itself is named."""
    key = 'A' * 64
    for text, word in ((f'wefd://h/r#{key}', 'weft://'), (f'weft:/h/r#{key}', 'weft://'),
                       (f'weft://h:0/r#{key}', 'h:0'), (f'weft://h:x/r#{key}', 'h:x'),
                       (f'weft:///r#{key}', 'host'), (f'weft://h#{key}', '/ROOM'),
                       (f'weft://h/#{key}', 'room'), (f'weft://h/r+r#{key}', 'r+r'),
                       ('weft://h/r', '#KEY'), (f'weft://h/r#{key[1:]}', '63'),
                       (f'weft://h/r#{key}A', '65'), (f'weft://h/r#{key[1:]}!', 'key')):
        process = party.weft('player', f"join '{text}'")
        assert process.popen.wait(netlab.PATIENCE) == 2, text
        assert word in process.output(), text
        assert key not in process.output()


@pytest.fixture
def authority(party, tmp_path):
    """Makes certificates that one authority signed; relay.example is the relay's name."""

    def openssl(arguments):
        party.run(None, f'openssl {arguments}')

    def certificate(name, first_day='20200101', last_day='20991231'):
        base = tmp_path / name
        openssl(f'req {key} -keyout {base}.key -out {base}.csr -subj /CN={name}')
        (tmp_path / 'names').write_text(f'subjectAltName=DNS:{name}\n')
        openssl(f'ca -batch -notext -rand_serial -config {tmp_path}/ca.conf -in {base}.csr '
                f'-cert {tmp_path}/ca.crt -keyfile {tmp_path}/ca.key -out {base}.crt '
                f'-extfile {tmp_path}/names -startdate {first_day}000000Z '
                f'-enddate {last_day}000000Z')
        return f'--cert {base}.crt --key {base}.key'
    (tmp_path / 'index').write_text('')
    (tmp_path / 'ca.conf').write_text(
        f'[ca]\ndefault_ca=here\n[here]\ndatabase={tmp_path}/index\n'
        f'serial={tmp_path}/serial\nnew_certs_dir={tmp_path}\n'
        'default_md=sha256\nunique_subject=no\npolicy=any\n[any]\ncommonName=supplied\n')
    key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
    for ca in ('ca', 'stranger'):
        openssl(f'req -x509 {key} -keyout {tmp_path}/{ca}.key -out {tmp_path}/{ca}.crt '
                f'-subj /CN={ca}')
    hosts = tmp_path / 'hosts'
    hosts.write_text(f'{p.RELAY} relay.example\n')
    party.run(None, f'mount --bind {hosts} /etc/hosts')
    yield certificate
    party.run(None, 'umount /etc/hosts')


def test_signed_certificate(party, authority, tmp_path):
    """Without a key in the invitation the relay is known by its name alone."""
    party.start_relay(f'{authority("relay.example")} --public relay.example')
    assert len(party.invitation.split('#')[1]) == 22
    party.start_player('player', f'--ca {tmp_path}/ca.crt').wait_event('joined')


@pytest.mark.parametrize('name, days, ca, words', [
    # Unknown authority, expired, not valid yet, another name.
    ('relay.example', ('20200101', '20991231'), '--ca {}/stranger.crt',
     ['no authority that is trusted', 'signed by ca', '--ca FILE', 'invitation']),
    ('relay.example', ('20200101', '20200201'), '--ca {}/ca.crt',
     ['has expired', 'to 2020-02-01', 'needs a new one', 'clock']),
    ('relay.example', ('20980101', '20991231'), '--ca {}/ca.crt',
     ['is not valid yet', 'from 2098-01-01', 'clock']),
    ('other.example', ('20200101', '20991231'), '--ca {}/ca.crt',
     ['is for another name', '(other.example, ', 'invitation']),
])
def test_signed_certificate_is_refused(party, authority, tmp_path, name, days, ca, words):
    """Says what was wrong, with which certificate, and what to do."""
    party.start_relay(f'{authority(name, *days)} --public relay.example')
    player = party.start_player('player', ca.format(tmp_path))
    reason = player.wait_event('state', state='refused')['reason']
    for word in ['the certificate of relay.example'] + words:
        assert word in reason
    assert player.popen.wait(netlab.PATIENCE) == 1


def test_key_of_another_certificate(party, authority, tmp_path):
    authority('other.example')
    options = authority('relay.example').replace(
        'relay.example.key', 'other.example.key')
    process = party.weft('relay', f'relay {options}')
    assert process.popen.wait(netlab.PATIENCE) == 1
    for word in ('relay.example.crt', 'other.example.key', 'does not belong'):
        assert word in process.output()


def test_room_is_full(party):
    party.start_relay('--members 1')
    party.start_player('player').wait_event('joined')
    event = party.start_player('player2').wait_event('state', state='waiting')
    assert 'full' in event['reason']


def test_port_in_use(party):
    party.start_relay()
    second = party.weft('relay', 'relay --json --room other')
    assert second.popen.wait(netlab.PATIENCE) == 1
    assert '443' in second.output() and '--listen' in second.output()


def test_port_for_root(party, tmp_path):
    tmp_path.chmod(0o777)
    party.run(None, f'chmod a+x {tmp_path.parent} {tmp_path.parent.parent}')
    process = netlab.Process(party, 'relay', f'{nobody()} {p.WEFT} relay --state {tmp_path}')
    party.processes.append(process)
    assert process.popen.wait(netlab.PATIENCE) == 1
    assert 'CAP_NET_BIND_SERVICE' in process.output() and '--listen PORT' in process.output()


def test_name_taken(party):
    """It is said at once: the name of the relay (there is none) is not asked for."""
    party.invitation = f'weft://no-such-host.invalid/party#{"A" * 64}'
    party.run('player', 'ip link add weft0 type veth peer name weft1')
    process = party.start_player()
    assert process.popen.wait(netlab.PATIENCE) == 1
    assert '"weft0"' in process.output()
    assert process.events() == []


def test_waiting_is_told_once(party):
    """A reason that stays the same is an event each time, and one line for people."""
    party.invitation = f'weft://no-such-host.invalid/party#{"A" * 64}'
    player = party.start_player()
    player.wait_event('state', state='waiting', number=3)
    assert player.output().count('trying again') == 1


def test_ca_beside_a_key(party):
    party.start_relay()
    player = party.start_player('player', '--ca /no/such/file')
    player.wait_event('joined')
    player.says('--ca is not used')


@pytest.mark.parametrize('listen, host', [
    ('198.51.100.1:444', '198.51.100.1:444'), ('[::1]:445', '[::1]:445')])
def test_invitation_names_the_address_it_listens_on(party, listen, host):
    relay = party.weft('relay', f'relay --json --room party --listen {listen}')
    assert relay.wait_event('invitation')['invitation'].startswith(f'weft://{host}/party#')


def test_no_rights(party):
    """Without rights to the device itself, or (where anybody may open it) to make a TAP."""
    party.invitation = f'weft://no-such-host.invalid/party#{"A" * 64}'
    process = netlab.Process(party, 'player', f'{nobody()} {p.WEFT} join {party.invitation} '
                             '--state /tmp')
    party.processes.append(process)
    assert process.popen.wait(netlab.PATIENCE) == 1
    assert 'run as root' in process.output() and 'trying again' not in process.output()
    assert '/dev/net/tun' in process.output() or 'CAP_NET_ADMIN' in process.output()
    assert 'without root there are --user' in process.output()


def test_opening_a_room_takes_a_token(party, tmp_path):
    right, wrong = tmp_path / 'right', tmp_path / 'wrong'
    for file, token in ((right, 'open-sesame-1234'), (wrong, 'open-barley-1234')):
        file.write_text(token + '\n')
        file.chmod(0o600)
    party.start_relay(f'--open-token {right}')
    without = party.start_player('player')
    reason = without.wait_event('state', state='waiting')['reason']
    assert 'is not open' in reason and '--open-token FILE' in reason
    gateway = party.start_gateway(f'--open-token {wrong}')
    assert "not this relay's" in gateway.wait_event('state', state='waiting')['reason']
    party.weft('player2', f'join --json {party.invitation} --mac {p.MACS["player2"]}',
               env={'WEFT_OPEN_TOKEN': 'open-sesame-1234'}).wait_event('joined')
    without.wait_event('joined')  # The room is there now.
    gateway.wait_event('joined')


def test_token_that_can_be_guessed(party, tmp_path):
    token = tmp_path / 'token'
    token.write_text('letmein\n')
    relay = party.weft('relay', f'relay --json --open-token {token}')
    assert relay.popen.wait(netlab.PATIENCE) == 1
    assert '12 characters' in relay.output()


def test_address_with_too_many_connections(party):
    party.start_relay('--sessions 1')
    party.start_player('player').wait_event('joined')
    second = party.weft('player', f'join --json {party.invitation} --link tap:weft1 '
                        '--mac 02:00:00:00:01:09')
    reason = second.wait_event('state', state='waiting')['reason']
    assert 'too many connections from this address' in reason

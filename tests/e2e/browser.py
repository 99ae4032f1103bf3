# SPDX-License-Identifier: MIT
"""Downloads as a browser makes them: in pieces, over several connections that are used again."""
import shlex

CONNECTIONS, PIECES = 6, 24


def download(lab, host, url, length, directory, options=''):
    """The file of that length, in PIECES ranges; options are curl's."""
    step = -(-length // PIECES)

    def piece(i):
        return (f'{options} -o {directory}/{i:02} '
                f'-r {i * step}-{min((i + 1) * step, length) - 1} {url}')
    each = "curl -sS --fail --max-time 300 -w '%{num_connects} %{http_code},' "
    many = [each + (' --next ' + each[4:]).join(piece(i) for i in range(first, PIECES, CONNECTIONS))
            for first in range(CONNECTIONS)]
    said = lab.run(host, f'sh -c {shlex.quote(" & ".join(many) + " & wait")}', seconds=330)
    again = PIECES - CONNECTIONS
    assert sorted(said.split(',')) == [''] + again * ['0 206'] + CONNECTIONS * ['1 206'], said
    return b''.join((directory / f'{i:02}').read_bytes() for i in range(PIECES))

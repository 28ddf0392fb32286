#!/usr/bin/python3
"""pop.py - a request linked to its TLS session (RFC 7030 3.5) by a client that shares no code with est-client.

usage: pop.py [--tls13 | --no-ems] [--resume] [--as FORM] [--attribute c|i] PORT OPERATION KEY NAME

Connects to localhost:PORT, asks for cacerts, makes a request for KEY and NAME whose challengePassword (or, by
--attribute i, estIdentityLinking) is the channel binding of this connection in some FORM, and POSTs it to OPERATION by
the same connection. Prints the status, whether the connection is closed or kept, and the body of the answer. TLS 1.2 is Python's, its channel binding too; TLS
1.3 is that of `openssl s_client`, which prints the exported key material. With --resume the session is resumed before,
and nothing but cacerts is asked by the connection that it comes from. --no-ems leaves the extended master secret out.

FORM: exact, newline (a line end behind it), blanks (between its characters), prefix (its first four characters),
more (an octet behind it), other (of another connection), raw (not in base64), empty, none (no attribute at all).

Environment: TRUST, PASSWORD (of user "any"), MAKE_CSR.
"""
import argparse, base64, http.client, os, re, socket, ssl, subprocess, sys, tempfile

USER = 'any'
TIMEOUT = 20
NO_EMS = 1 << 0  # SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL 3


class Python12:
    """TLS 1.2 by Python."""

    def __init__(self, port, resume, no_ems=False):
        self.context = ssl.create_default_context(cafile=os.environ['TRUST'])
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        if no_ems:
            self.context.options |= NO_EMS
        self.port, session = port, None
        if resume:
            first = self.connect(None)
            session = first.session
            first.close()
        self.socket = self.connect(session)
        if resume and not self.socket.session_reused:
            sys.exit('the session was not resumed')

    def connect(self, session):
        plain = socket.create_connection(('127.0.0.1', self.port), TIMEOUT)
        return self.context.wrap_socket(plain, server_hostname='localhost', session=session)

    def binding(self):
        return self.socket.get_channel_binding('tls-unique')

    def send(self, octets):
        self.socket.sendall(octets)

    def makefile(self):
        return self.socket.makefile('rb')


class Openssl13:
    """TLS 1.3 by openssl s_client, whose standard input and output are the connection's."""

    def __init__(self, port, resume, _=False):
        arguments = ['openssl', 's_client', '-connect', f'127.0.0.1:{port}', '-servername', 'localhost', '-tls1_3',
                     '-CAfile', os.environ['TRUST'], '-verify_return_error', '-ign_eof', '-nocommands',
                     '-keymatexport', 'EXPORTER-Channel-Binding', '-keymatexportlen', '32']
        if resume:
            with tempfile.TemporaryDirectory() as directory:
                session = directory + '/session'
                request = 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
                subprocess.run(arguments + ['-sess_out', session], input=request.encode(), timeout=TIMEOUT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                self.start(arguments + ['-sess_in', session])
                if 'Reused' not in self.head:
                    sys.exit('the session was not resumed')
        else:
            self.start(arguments)

    def start(self, arguments):
        self.process = subprocess.Popen(['timeout', str(TIMEOUT)] + arguments, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.head = ''
        while 'Keying material:' not in self.head:
            line = self.process.stdout.readline().decode(errors='replace')
            if line == '':
                sys.exit('no TLS 1.3')
            self.head += line

    def binding(self):
        return bytes.fromhex(re.search('Keying material: ([0-9A-F]+)', self.head).group(1))

    def send(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.flush()

    def makefile(self):
        return self.process.stdout


class Answer:
    """What http.client wants of a socket: a stream that begins with a status line."""

    def __init__(self, stream, line):
        self.stream, self.line = stream, line

    def makefile(self, *_):
        return self

    def readline(self, *limit):
        line, self.line = self.line, None
        return line if line is not None else self.stream.readline(*limit)

    def read(self, *limit):
        return self.stream.read(*limit)

    def close(self):
        pass

    flush = close


def answer(stream, method):
    # s_client tells of session tickets in between.
    line = stream.readline()
    while line and not line.startswith(b'HTTP/1.'):
        line = stream.readline()
    response = http.client.HTTPResponse(Answer(stream, line), method=method)
    response.begin()
    return response.status, response.will_close, response.read()


def in_form(form, binding, other):
    text = base64.b64encode(binding).decode()
    return {'exact': text, 'newline': text + '\n', 'blanks': ' '.join(text), 'prefix': text[:4],
            'more': base64.b64encode(binding + b'x').decode(), 'other': base64.b64encode(other).decode(),
            'raw': binding.hex(), 'empty': '', 'none': None}[form]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--tls13', action='store_true')
    parser.add_argument('--no-ems', action='store_true')
    parser.add_argument('--resume', action='store_true')
    parser.add_argument('--as', dest='form', default='exact')
    parser.add_argument('--attribute', default='c')
    parser.add_argument('port', type=int)
    parser.add_argument('operation')
    parser.add_argument('key')
    parser.add_argument('name')
    options = parser.parse_args()
    kind = Openssl13 if options.tls13 else Python12

    connection = kind(options.port, options.resume, options.no_ems)
    stream = connection.makefile()
    connection.send(b'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n')
    if answer(stream, 'GET')[0] != 200:
        sys.exit('no cacerts')
    other = kind(options.port, False).binding() if options.form == 'other' else b''
    value = in_form(options.form, connection.binding(), other)
    arguments = [os.environ['MAKE_CSR'], '-k', options.key, '-n', options.name]
    if value is not None:
        arguments += ['-' + options.attribute, value]
    body = base64.encodebytes(subprocess.run(arguments, check=True, stdout=subprocess.PIPE, timeout=TIMEOUT).stdout)
    authorization = base64.b64encode(f'{USER}:{os.environ["PASSWORD"]}'.encode()).decode()
    connection.send(f'POST /.well-known/est/{options.operation} HTTP/1.1\r\nHost: localhost\r\n'
                    f'Authorization: Basic {authorization}\r\nContent-Type: application/pkcs10\r\n'
                    f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)
    status, will_close, text = answer(stream, 'POST')
    if not will_close:
        connection.send(b'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n')
        if answer(stream, 'GET')[0] != 200:
            sys.exit('the connection was closed, and nothing had said so')
    print(status, 'closed' if will_close else 'kept')
    print(text.decode())


main()

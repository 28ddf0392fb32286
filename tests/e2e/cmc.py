#!/usr/bin/env python3
"""cmc.py - Full PKI Requests and Responses by the ASN.1 of RFC 5272, in a DER of its own. For cmc.bats.

cmc.py pkidata PART...         PKIData; a PART is one of
    control=ID:N:TYPE:VALUE    control N of id-cmc; TYPE int, octets, utf8, der: VALUE in hex (utf8: as it is)
    oid=ID:OID-HEX:VALUE-HEX   a control of any OID, its value in DER
    tcr=ID:FILE  crm=ID:FILE   a PKCS#10, a CertReqMsg
    orm=ID                     a request of a form that nobody knows
    cms=ID  other=ID           an element of cmsSequence, of otherMsgSequence
    proof=ID:SECRET[:NAME]     identityProofV2, with the key of an Identification control NAME
    revoke=ID:CERT:REASON[:SECRET]
cmc.py pkcs10 KEY CN [ski=HEX] [san=DNS] [link=SECRET:RANDOM-HEX] [challenge=TEXT] [critical] [broken]
cmc.py crmf KEY CN ID [ski=HEX] [san=DNS] [issuer=CN] [pop=none|ra|broken]
cmc.py unsigned FILE           the SignedData around a PKIData that nobody signed
cmc.py wrap OID-HEX            a ContentInfo of that type around an empty SEQUENCE
cmc.py flip FILE               a bit of the last octet turned over
cmc.py show FILE               what a PKIResponse says, a line each; exit 1 where it is not one
"""
import hashlib
import hmac
import subprocess
import sys

ID_CMC = bytes.fromhex("2b060105050707")
SHA256 = bytes.fromhex("608648016503040201")
HMAC_SHA256 = bytes.fromhex("2a864886f70d0209")
FAILS = ("badAlg badMessageCheck badRequest badTime badCertId unsupportedExt mustArchiveKeys badIdentity popRequired"
         " popFailed noKeyReuse internalCAError tryLater authDataFail").split()
STATUSES = {0: "success", 2: "failed", 3: "pending", 4: "noSupport", 5: "confirmRequired", 6: "popRequired", 7: "partial"}


def tlv(tag, *contents):
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*contents):
    return tlv(0x30, *contents)


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(octets):
    return tlv(0x06, octets)


def openssl(*arguments, data=None):
    return subprocess.run(("openssl",) + arguments, input=data, check=True, stdout=subprocess.PIPE).stdout


def sign(key, data):
    """The AlgorithmIdentifier and BIT STRING of an ECDSA signature with SHA-256."""
    signature = openssl("dgst", "-sha256", "-sign", key, data=data)
    return sequence(oid(bytes.fromhex("2a8648ce3d040302"))), tlv(0x03, b"\0", signature)


def broken(bits):
    return bits[:-1] + bytes([bits[-1] ^ 1])


def name(common_name):
    return sequence(tlv(0x31, sequence(oid(b"\x55\x04\x03"), tlv(0x0c, common_name.encode()))))


def extension(octets, value, critical=False):
    return sequence(oid(octets), b"\x01\x01\xff" if critical else b"", tlv(0x04, value))


def extensions(options):
    found = []
    if "ski" in options:
        found.append(extension(b"\x55\x1d\x0e", tlv(0x04, bytes.fromhex(options["ski"]))))
    if "san" in options:
        found.append(extension(b"\x55\x1d\x11", sequence(tlv(0x82, options["san"].encode()))))
    if "critical" in options:
        found.append(extension(bytes.fromhex("2b0601040182371502"), b"\x05\x00", True))
    return found


def proof(key, data):
    return sequence(sequence(oid(SHA256)), sequence(oid(HMAC_SHA256)), tlv(0x04, hmac.digest(key, data, "sha256")))


def options_of(words):
    return {word.partition("=")[0]: word.partition("=")[2] for word in words}


# --- requests ---

def pkcs10(key, common_name, *words):
    options = options_of(words)
    attributes = []
    wanted = extensions(options)
    if wanted:
        attributes.append(sequence(oid(bytes.fromhex("2a864886f70d01090e")), tlv(0x31, sequence(*wanted))))
    if "link" in options:
        secret, random = options["link"].split(":")
        value = proof(hashlib.sha256(secret.encode()).digest(), bytes.fromhex(random))
        attributes.append(sequence(oid(ID_CMC + b"\x21"), tlv(0x31, value)))
    if "challenge" in options:
        attributes.append(sequence(oid(bytes.fromhex("2a864886f70d010907")), tlv(0x31, tlv(0x0c, options["challenge"].encode()))))
    spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
    info = sequence(integer(0), name(common_name), spki, tlv(0xa0, *sorted(attributes)))
    algorithm, signature = sign(key, info)
    return sequence(info, algorithm, broken(signature) if "broken" in options else signature)


def crmf(key, common_name, number, *words):
    options = options_of(words)
    spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
    template = [tlv(0xa3, name(options["issuer"]))] if "issuer" in options else []
    template += [tlv(0xa5, name(common_name)), b"\xa6" + spki[1:]]
    wanted = extensions(options)
    if wanted:
        template.append(tlv(0xa9, *wanted))
    request = sequence(integer(int(number)), sequence(*template))
    algorithm, signature = sign(key, request)
    how = options.get("pop", "signature")
    pop = {"none": b"", "ra": tlv(0x80), "broken": tlv(0xa1, algorithm, broken(signature)),
           "signature": tlv(0xa1, algorithm, signature)}[how]
    return sequence(request, pop)


# --- PKIData ---

def control(number, arc, value):
    return sequence(integer(int(number)), oid(ID_CMC + bytes([arc])), tlv(0x31, value))


def plain_control(text):
    number, arc, kind, value = text.split(":", 3)
    octets = value.encode() if kind == "utf8" else bytes.fromhex(value)
    return control(number, int(arc), octets if kind == "der" else tlv({"int": 2, "octets": 4, "utf8": 12}[kind], octets))


def revocation(text):
    number, certificate, reason, *secret = text.split(":", 3)
    body = parse(openssl("x509", "-in", certificate, "-outform", "DER"))[0][2]
    fields = parse(parse(body)[0][2])
    serial, issuer = fields[1], fields[3]
    assert serial[0] == 2 and issuer[0] == 0x30
    value = sequence(tlv(0x30, issuer[2]), tlv(2, serial[2]), tlv(0x0a, bytes([int(reason)])),
                     tlv(4, secret[0].encode()) if secret else b"")
    return control(number, 17, value)


def data(*parts):
    controls, requests, messages, others, proofs = [], [], [], [], []
    for part in parts:
        kind, _, text = part.partition("=")
        number, _, rest = text.partition(":")
        if kind == "control":
            controls.append(plain_control(text))
        elif kind == "oid":
            octets, value = rest.split(":")
            controls.append(sequence(integer(int(number)), oid(bytes.fromhex(octets)), tlv(0x31, bytes.fromhex(value))))
        elif kind == "revoke":
            controls.append(revocation(text))
        elif kind == "proof":
            proofs.append(text)
        elif kind == "tcr":
            requests.append(tlv(0xa0, integer(int(number)), open(rest, "rb").read()))
        elif kind == "crm":
            requests.append(b"\xa1" + open(rest, "rb").read()[1:])
        elif kind == "orm":
            requests.append(tlv(0xa2, integer(int(number)), oid(b"\x2a\x03\x04"), b"\x05\x00"))
        elif kind == "cms":
            messages.append(sequence(integer(int(number)), sequence(oid(bytes.fromhex("2a864886f70d010701")))))
        elif kind == "other":
            others.append(sequence(integer(int(number)), oid(b"\x2a\x03\x04"), b"\x05\x00"))
        else:
            raise SystemExit(f"cmc.py: {part}")
    asked = sequence(*requests)
    for text in proofs:
        number, secret, *identification = text.split(":")
        key = hashlib.sha256((secret + "".join(identification)).encode()).digest()
        controls.append(control(number, 34, proof(key, asked)))
    return sequence(sequence(*controls), asked, sequence(*messages), sequence(*others))


def unsigned(path):
    content = sequence(oid(bytes.fromhex("2b06010505070c02")), tlv(0xa0, tlv(0x04, open(path, "rb").read())))
    signed = sequence(integer(3), tlv(0x31), content, tlv(0x31))
    return sequence(oid(bytes.fromhex("2a864886f70d010702")), tlv(0xa0, signed))


# --- PKIResponse ---

def parse(octets):
    """All values of a run of DER: (tag, whole, content), strictly."""
    values = []
    while octets:
        tag, size, at = octets[0], octets[1], 2
        assert tag & 0x1f != 0x1f, "a tag of several octets"
        if size >= 0x80:
            count = size & 0x7f
            assert 0 < count <= 4, "no definite length"
            size = int.from_bytes(octets[2:2 + count], "big")
            assert size >= 128 and octets[2] != 0, "not the shortest length"
            at += count
        assert at + size <= len(octets), "beyond the end"
        values.append((tag, octets[:at + size], octets[at:at + size]))
        octets = octets[at + size:]
    return values


def number_of(value):
    tag, _, content = value
    assert tag == 2 and content and not (len(content) > 1 and content[0] == 0 and content[1] < 128), "no INTEGER"
    assert content[0] < 128, "negative"
    return int.from_bytes(content, "big")


def status_line(value):
    """CMCStatusInfoV2 (6.1.1)."""
    assert value[0] == 0x30
    parts = parse(value[2])
    status = STATUSES[number_of(parts[0])]
    assert parts[1][0] == 0x30
    bodies = [number_of(body) for body in parse(parts[1][2])]
    assert bodies, "an empty bodyList"
    rest, text, more = parts[2:], "", ""
    if rest and rest[0][0] == 0x0c:
        text = rest.pop(0)[2].decode("utf-8")
    if rest and rest[0][0] == 2:
        assert status == "failed", "failInfo without failed"
        more = FAILS[number_of(rest.pop(0))]
    elif rest and rest[0][0] == 0x30:
        assert status in ("pending", "partial"), "pendInfo without pending"
        token, time = parse(rest.pop(0)[2])
        assert token[0] == 4 and time[0] == 0x18 and len(time[2]) == 15 and time[2].endswith(b"Z")
        more = time[2].decode()
    assert not rest, "something behind otherInfo"
    assert status != "failed" or more, "failed without failInfo"
    assert status != "pending" or more, "pending without pendInfo"
    return " ".join(["status", status, ",".join(map(str, bodies))] + [more] * bool(more) + [text] * bool(text))


def show(path):
    """PKIResponse ::= SEQUENCE { controlSequence, cmsSequence, otherMsgSequence } (4.2.1)."""
    (tag, _, body), = parse(open(path, "rb").read())
    assert tag == 0x30
    controls, messages, others = parse(body)
    assert controls[0] == messages[0] == others[0] == 0x30
    seen = set()
    for tag, _, content in parse(controls[2]):
        assert tag == 0x30
        number, kind, values = parse(content)
        assert 0 < number_of(number) <= 4294967295 and number_of(number) not in seen, "bodyPartID"
        seen.add(number_of(number))
        assert kind[0] == 6 and kind[2][:-1] == ID_CMC and values[0] == 0x31
        value, = parse(values[2])
        arc = kind[2][-1]
        if arc == 25:
            print(status_line(value))
            continue
        word, wanted = {4: ("return", 4), 5: ("transaction", 2), 6: ("sender", 4), 7: ("recipient", 4)}[arc]
        assert value[0] == wanted, word
        print(word, value[2].hex())


def main():
    verb, *arguments = sys.argv[1:]
    makers = {"pkidata": data, "pkcs10": pkcs10, "crmf": crmf, "unsigned": unsigned,
              "wrap": lambda kind: sequence(oid(bytes.fromhex(kind)), tlv(0xa0, sequence())),
              "flip": lambda path: broken(open(path, "rb").read())}
    if verb == "show":
        show(*arguments)
    else:
        sys.stdout.buffer.write(makers[verb](*arguments))


main()

#!/usr/bin/env python3
"""Writes the frames of this folder from the wire protocol's description, as a second opinion on the Swift codec."""
import hashlib
import pathlib

HERE = pathlib.Path(__file__).parent


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def fixed(value, count):
    return value.to_bytes(count, "big")


def frame(kind, *fields, payload=b""):
    header = b"".join(fields)
    body = varint(len(header)) + header + payload
    return varint(kind) + varint(len(body)) + body


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def option(value):
    return b"\x00" if value is None else b"\x01" + varint(value)


def write(name, note, data):
    lines = [f"# {note}"]
    lines += [data[at:at + 32].hex(" ") for at in range(0, len(data), 32)]
    (HERE / f"{name}.hex").write_text("\n".join(lines) + "\n")


RENDITION = fixed(0x0123456789ABCDEF, 8)
SEGMENT = RENDITION + b"\x00" + varint(1000)
MAP = RENDITION + b"\x03" + varint(7) + varint(616) + varint(2**31)
EDITION = option(1_000_000) + fixed(0xAABBCCDD00112233, 8) + fixed(0x5566778899, 8)
OPEN_EDITION = option(None) + fixed(0, 8) + fixed(0x5566778899, 8)
KEY = b"\x04" + bytes(range(64))
SIGNATURE = bytes(range(64, 128))
SWARM = bytes(range(20))
OTHER_SWARM = bytes(range(20, 40))

write("hello", "hello, versions 1 to 1, features 0x8000000000000001, port 4001, uploads, two swarms",
      frame(1, b"WEIR", b"\x01\x01", fixed(0x8000000000000001, 8), fixed(4001, 2), b"\x01", varint(2), SWARM,
            OTHER_SWARM))
write("hello-of-version-3", "hello, versions 1 to 3, with three bytes that only version 3 understands",
      frame(1, b"WEIR", b"\x01\x03", fixed(0, 8), fixed(0, 2), b"\x00", varint(0), b"\x09\x08\x07"))
write("join", "join, handle 2", frame(2, varint(2), SWARM))
write("leave", "leave, handle 300", frame(3, varint(300)))
write("interest", "interest, position 1000, newest unknown, five eighths passed on",
      frame(4, varint(1), RENDITION, option(1000), option(None), b"\x05"))
write("have", "have: media 1000 to 1009 held, 1010 being fetched, map 7 gone",
      frame(5, varint(0), RENDITION, varint(3), b"\x00" + varint(1000) + varint(10), b"\x02" + varint(1010) + varint(1),
            b"\x05" + varint(7) + varint(1)))
write("have-underway", "have: media 1011 underway",
      frame(5, varint(0), RENDITION, varint(1), b"\x06" + varint(1011) + varint(1)))
write("partial", "partial: chunks 0 to 2, 5, 200 to 327",
      frame(6, varint(0), SEGMENT, varint(3), varint(0) + varint(3), varint(2) + varint(1), varint(194) + varint(128)))
write("request", "request 9: chunks 4 to 35 of a byte range, length unknown",
      frame(7, varint(9), varint(0), MAP, OPEN_EDITION, varint(4), varint(32), b"\x00"))
write("request-of-list", "request 10: chunks 4 and 5 of a segment whose digest list is known",
      frame(7, varint(10), varint(0), SEGMENT, EDITION, varint(4), varint(2), b"\x01" + digest("root")))
vouch = SEGMENT + EDITION + varint(4) + varint(2) + digest("four") + digest("five")
write("digests", "digests of chunks 4 and 5", frame(8, varint(0), vouch, KEY, varint(64), SIGNATURE))
root = SEGMENT + EDITION + digest("root")
write("root", "root of a segment", frame(9, varint(0), root, KEY, varint(64), SIGNATURE))
write("refutation", "refutation of the digest of chunk 5",
      frame(17, varint(0), vouch, KEY, varint(64), SIGNATURE, varint(5), digest("origin")))
write("data", "data: 5 payload bytes for request 9 from chunk 4 on", frame(10, varint(9), varint(4), payload=b"media"))
write("cancel", "cancel request 9 from chunk 20 on", frame(11, varint(9), varint(20)))
write("absent", "absent, request 9, busy", frame(12, varint(9), b"\x02"))
write("peers", "two peers",
      frame(13, varint(0), varint(2), digest("a") + varint(9) + b"192.0.2.1" + fixed(4001, 2),
            digest("b") + varint(11) + b"2001:db8::1" + fixed(65535, 2)))
write("ping", "ping", frame(14, fixed(0x1122334455667788, 8)))
write("pong", "pong", frame(15, fixed(0xFFFFFFFFFFFFFFFF, 8)))
write("goodbye", "goodbye, banned", frame(16, b"\x04"))
write("unknown", "a type of a later version, with payload", frame(77, b"\x01\x02", payload=b"later"))

write("signed-digests", "what a voucher signs for the frame in digests.hex, in the first swarm of hello.hex", b"weir vouch 2\x00" + SWARM + vouch)
write("signed-root", "what a voucher signs for the frame in root.hex, in the first swarm of hello.hex", b"weir root 2\x00" + SWARM + root)
write("root-of-list", "the root of a list of two digests, segment of 20000 bytes",
      hashlib.sha256(b"weir list 1\x00" + fixed(20000, 8) + digest("one") + digest("two")).digest())

"""The frozen encoder once more, written from design text alone and with no care for speed: what layer/fixed.c must agree with.

One fixed-Huffman block a run. Candidate distances in this order, the longest match wins, the first on a tie: 1; 512; from the run's first
header block back to each of the last three header blocks of earlier runs, oldest first, if <= 32,768; the last place of this run with equal
index in a table of 4,096, index = (3 bytes little-endian * 2654435761 mod 2**32) >> 20. Taken if >= 4 long, or 3 long at <= 1,024."""

LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
LENGTH_BITS = [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [0]
DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289,
             16385, 24577]
DISTANCE_BITS = [0, 0, 0, 0] + [i // 2 for i in range(2, 28)]


class Bits:
    def __init__(self):
        self.bits = []

    def number(self, value, n):  # lowest bit first
        self.bits += [value >> i & 1 for i in range(n)]

    def code(self, value, n):  # Huffman codes: highest bit first
        self.bits += [value >> i & 1 for i in reversed(range(n))]

    def symbol(self, s):
        if s < 144:
            self.code(0x30 + s, 8)
        elif s < 256:
            self.code(0x190 + s - 144, 9)
        elif s < 280:
            self.code(s - 256, 7)
        else:
            self.code(0xC0 + s - 280, 8)

    def match(self, length, distance):
        i = max(k for k, v in enumerate(LENGTHS) if v <= length)
        self.symbol(257 + i)
        self.number(length - LENGTHS[i], LENGTH_BITS[i])
        i = max(k for k, v in enumerate(DISTANCES) if v <= distance)
        self.code(i, 5)
        self.number(distance - DISTANCES[i], DISTANCE_BITS[i])

    def bytes(self):
        self.bits += [0] * (-len(self.bits) % 8)
        return bytes(sum(b << k for k, b in enumerate(self.bits[i:i + 8])) for i in range(0, len(self.bits), 8))


def index(three):
    return (int.from_bytes(three, "little") * 2654435761 % 2**32) >> 20


def encode_run(body, start, end, distances):
    """body[start:end] is the run; what stands before start is the window."""
    out, table, p = Bits(), {}, start
    out.number(0, 1)
    out.number(1, 2)
    while p < end:
        candidates = [1, 512, *distances]
        if p + 3 <= end and index(body[p:p + 3]) in table:
            candidates.append(p - table[index(body[p:p + 3])])
        best, at = 0, 0
        for d in candidates:
            n = 0
            if d > p or d > 32768:
                continue
            while n < 258 and p + n < end and body[p + n] == body[p + n - d]:
                n += 1
            if n > best:
                best, at = n, d
        if best >= 4 or (best == 3 and at <= 1024):
            out.match(best, at)
        else:
            best = 1
            out.symbol(body[p])
        for q in range(p, p + best):
            if q + 3 <= end:
                table[index(body[q:q + 3])] = q
        p += best
    out.symbol(256)
    out.number(0, 3)
    return out.bytes() + b"\x00\x00\xff\xff"


def stored(payload):
    out = b""
    for i in range(0, len(payload), 65535):
        piece = payload[i:i + 65535]
        out += b"\0" + len(piece).to_bytes(2, "little") + (len(piece) ^ 0xFFFF).to_bytes(2, "little") + piece
    return out


def encode(steps):
    """steps: (is_payload, bytes, offset of the first header in the run or None). Payload is written as stored blocks."""
    body, out, headers = b"", b"", []
    for payload, data, header in steps:
        start = len(body)
        body += data
        if payload:
            out += stored(data)
            continue
        distances = []
        if header is not None:
            distances = [d for d in (start + header - h for h in headers[-3:]) if d <= 32768]
        out += encode_run(body, start, len(body), distances)
        if header is not None:
            headers.append(start + header)
    return out

"""What the programs of learn_program.rs share: which blocks of an image hold data, found by skipping holes."""
import binascii
import os
import struct
import sys
import zlib

IMAGE, BITMAP = sys.argv[1:3]
SIZE = os.path.getsize(IMAGE)
MIB = 1 << 20


def data_blocks(block=2 * MIB, is_data=any):
    """One truth value for each block."""
    blocks = [False] * ((SIZE + block - 1) // block)
    with open(IMAGE, "rb", buffering=0) as image:
        at = 0
        while at < SIZE:
            try:
                at = os.lseek(image.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            number = at // block
            end = min((number + 1) * block, SIZE)
            while at < end:
                image.seek(at)
                piece = image.read(min(64 << 10, end - at))
                if any(piece):
                    blocks[number] = True
                    break
                at += len(piece)
            at = end
    return blocks


def bits(blocks, most_first=False, invert=False, unit=1, pad=0):
    """One bit for each block, filled up."""
    out = bytearray((len(blocks) + 7) // 8)
    for number, data in enumerate(blocks):
        if data != invert:
            out[number // 8] |= (0x80 >> number % 8) if most_first else (1 << number % 8)
    for number in range(len(blocks), 8 * len(out)):
        if pad:
            out[number // 8] |= (0x80 >> number % 8) if most_first else (1 << number % 8)
    while len(out) % unit:
        out.append(0xFF if pad else 0)
    return bytes(out)


def runs(blocks, block):
    """Begin and end of each run of data, in bytes."""
    out = []
    for number, data in enumerate(blocks):
        if data and out and out[-1][1] == number * block:
            out[-1] = (out[-1][0], (number + 1) * block)
        elif data:
            out.append((number * block, (number + 1) * block))
    return out


def crc32c(data):
    """CRC-32C (Castagnoli)."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def write(data, path=BITMAP):
    with open(path, "wb") as out:
        out.write(data)

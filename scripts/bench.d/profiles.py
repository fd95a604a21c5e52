"""What is carried: profiles of objects, drawn by a fixed seed."""

import math
import random
from dataclasses import dataclass

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Profile:
    name: str
    what: str
    kinds: tuple  # of servers that show more than themselves
    again: bool = False  # everything is at the destination already
    sparse: bool = False  # the names are few of a far larger bucket
    large: bool = False  # measured by GiB
    parts: bool = False  # some objects are large enough for parts
    far: bool = False  # measured at a distance too

    def objects(self, quick):
        """Names and sizes at the source, and the names that are asked for."""
        randomness = random.Random(self.name)
        sizes = {"large": large, "mixed": mixed, "sparse": sparse}.get(self.name, small)(
            randomness, quick)
        # Of the sparse bucket only what is asked for has more than a few bytes.
        names = [name for name, size in sizes.items() if size > FEW or not self.sparse]
        return sizes, names


FEW = 16
ALL_SMALL = ("rclone", "s3s-fs", "moto", "radosgw")
FILES = ("s3s-fs", "radosgw")
PROFILES = {p.name: p for p in [
    Profile("small", "10,000 objects of 1 to 16 KiB", ALL_SMALL, far=True),
    Profile("ignore", "the same, all there already", ALL_SMALL, again=True, far=True),
    Profile("sparse", "10,000 objects of 1 to 16 KiB out of 200,000", ALL_SMALL, sparse=True),
    Profile("mixed", "2,000 objects around 256 KiB, 20 of 16 to 64 MiB", FILES, parts=True),
    Profile("large", "8 objects of 256 MiB", FILES, large=True, parts=True),
]}


def name(number):
    return f"2026/11/{number:06}-{random.Random(number).getrandbits(32):08x}.jpg"


def small(randomness, quick):
    return {name(n): randomness.randint(KIB, 16 * KIB) for n in range(1_000 if quick else 10_000)}


def sparse(randomness, quick):
    total = 20_000 if quick else 200_000
    asked = set(randomness.sample(range(total), total // 20))
    return {name(n): randomness.randint(KIB, 16 * KIB) if n in asked else FEW
            for n in range(total)}


def mixed(randomness, quick):
    """Sizes as they are found: log-normal, and a few large ones in between."""
    fraction = 10 if quick else 1
    sizes = {name(n): min(8 * MIB, int(randomness.lognormvariate(math.log(256 * KIB), 1)))
             for n in range(2_000 // fraction)}
    return sizes | {f"2026/11/{n:06}-film.mp4": randomness.randint(16 * MIB, 64 * MIB)
                    for n in range(0, 2_000 // fraction, 100)}


def large(_, quick):
    return {f"films/{n}.mp4": (32 if quick else 256) * MIB for n in range(2 if quick else 8)}

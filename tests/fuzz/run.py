"""Long fuzzing runs: `python -m tests.fuzz.run --inputs 1000000 --seed 1`.

Without --seed a new one is taken; it is printed, and the same seed gives the same inputs. With --against-pure
the same inputs are read in the pure build too, in a process beside, and all logs compared.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import time
from collections import Counter

import alsvid.protocol.http1.engine
from tests.corpus.corpus import cases
from tests.fuzz.generator import Generator
from tests.fuzz.rules import check

_BLOCK = 500  # inputs a line of digests


def block_digests(seed: int, inputs: int, tally: Counter[str] | None = None) -> list[str]:
    """Check so many inputs; return a digest of the logs of each block."""
    generator = Generator(seed, [case.data for case in cases()])
    chance = random.Random(seed + 1)
    digests = []
    digest = hashlib.sha256()
    for number, (data, limits) in enumerate(generator.inputs(inputs), 1):
        try:
            log = check(data, limits, chance)
        except BaseException:
            print(f"seed {seed}, input {number}: {data!r}, {limits_text(limits)}", file=sys.stderr)
            raise
        digest.update(repr(log).encode())
        if tally is not None:
            tally.update(str(entry[2]) if entry[0] == "fault" else entry[0] for entry in log)
        if number % _BLOCK == 0 or number == inputs:
            digests.append(digest.hexdigest()[:16])
            digest = hashlib.sha256()
    return digests


def limits_text(limits: object) -> str:
    """Return limits as they are written in Python."""
    names = ("request_line", "head", "fields", "field_size", "chunk_extension", "chunk_extensions", "body")
    return "Limits(" + ", ".join(f"{name}={getattr(limits, name)}" for name in names) + ")"


def digests_of_pure_build(seed: int, inputs: int) -> list[str]:
    """Run the same in a process that imports the source files."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.run",
        "--digests",
        "--seed",
        str(seed),
        "--inputs",
        str(inputs),
    ]
    environment = os.environ | {"ALSVID_PURE": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def build_name() -> str:
    """Return which build is loaded."""
    return "pure" if alsvid.protocol.http1.engine.__file__.endswith(".py") else "compiled"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--against-pure", action="store_true", help="compare with the pure build")
    parser.add_argument("--digests", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.digests:
        print("\n".join(block_digests(options.seed, options.inputs)))
        return
    print(f"{build_name()} build, seed {options.seed}, {options.inputs} inputs", flush=True)
    began = time.monotonic()
    tally: Counter[str] = Counter()
    digests = block_digests(options.seed, options.inputs, tally)
    print(f"held in {time.monotonic() - began:.0f} s; {dict(sorted(tally.items()))}")
    if options.against_pure:
        pure = digests_of_pure_build(options.seed, options.inputs)
        differing = [
            number * _BLOCK
            for number, pair in enumerate(zip(digests, pure, strict=True))
            if len(set(pair)) > 1
        ]
        print(f"blocks that differ from the pure build: {differing or 'none'}")
        sys.exit(bool(differing))


if __name__ == "__main__":
    main()

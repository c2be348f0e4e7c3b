"""Server against server on one machine: the same load, interleaved, verified, with a control.

Run as `python -m bench.duel`; the method is described in bench/README.md.
"""

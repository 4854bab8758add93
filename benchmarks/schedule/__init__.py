"""How well the ready queue fills its places: 800 targets x 5 chained stacks, cap 100, on a clock that jumps.

The time a stack takes is log-normal (median 60 s, sigma 0.7). The engine is the real one (driver, caps, worker, ledger writer);
its action kind only waits, and its ledger is in memory. The floor is the list-scheduling bound: no schedule is shorter than the
sum of all work divided by the cap, nor than the longest chain. The bar is 1.10. Beside it: what a barrier between levels (all
first stacks, then all second ones), and one between chunks of 100 targets, would take with the same stack times.
"""

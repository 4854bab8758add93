"""The emulators as child processes: MiniStack with snapshots, moto behind one lock with its state on disk.

Only the processes started from these modules import an emulator; the platform never does.
"""

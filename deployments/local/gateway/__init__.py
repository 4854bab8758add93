"""The gateway: one AWS endpoint in front of several emulators.

A request is named first (service, operation, region, account: `naming`, `rest_names`), then may meet a fault that a test
or a rehearsal asked for (`faults`, `answers`), then a rule that AWS has and the emulators lack (`assume_role`, `trust`,
`accounts`), and at last goes to the emulator that knows the service best (`routes`, `upstream`). Everything is
counted (`call_log`). Accounts stay consistent because the emulators never see a session key: the gateway issues the
account number of the session as the key (`sessions`), so a restarted emulator cannot mistake one tenant for another.
"""

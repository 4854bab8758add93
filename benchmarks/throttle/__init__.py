"""How close a run comes to what a throttled AWS allows: the emulator refuses CloudFormation calls beyond a rate per place.

A place is an account and region. The engine deploys many stacks side by side into each and does not know the limit: its pacing
starts from its usual rates and has to learn from the refusals. The optimum is computed from the calls that were really needed
(answered, not refused) and the rate: no place can be done before its calls are through. The bar is 1.25.
"""

"""What operators do to a service: each action shows first what it will do, and is recorded.

Pages and commands carry out the same actions, by :class:`carrying_out.Operating`.
"""

"""A simulated machine: kakaocron's own code over a disk, clock, network and cron that misbehave.

One seed is one history, and the same seed gives the same bytes. See docs/reliability.md.
"""

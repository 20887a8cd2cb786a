"""Simulates years of one deployment's token, because only years show whether it outlives bad luck.

A history is what one deployment lives through: a cron, visitors or none, one or two processes with clocks of their own,
and outages of Instagram and of the store. The token manager and the circuit breaker before the store are the real ones.
The clock, the outages and Instagram's records are simulated. A year takes some milliseconds. The cron is weekly, which
igfeed promises to live with; `--cron-days 1` makes it daily, as `vercel.json` has it.

A `Checker` keeps records of its own and raises `Violation` if the token manager breaks its claim:

- **lost**: no token string that still works is in the store, in a living process's memory or in the environment.
- **a chance**: an invocation that could renew. It is a cron run from the token's second day on, or a view in the
  token's last seven days that no pause holds back. The process can reach a string that works: in the store; in its
  memory (what it last read there, or renewed and has not saved); in the environment, if the store has none. A pause is
  the hour after a failed attempt to renew, five minutes on the last day. If an attempt began less than 90 seconds ago,
  or another process runs in the middle of this invocation, the chance is the other's. All ages are those that Instagram
  has told whoever holds the token.
- **a reason outside** (`FailureReason`): nothing else excuses a chance that does not end in a renewed token.
- **worse** (in the store): the new string is dead while the one before lives, or it expires earlier. The way back to
  the predecessor of a string that Instagram refuses is allowed.

All comparisons allow a quarter of an hour for clocks that differ.

Each of these modules imports from those before it only: scenario, tokens, invocation, state, backends, excuses,
checker, faulty, process, run, histories.

Run `python -m lab.simulation --histories 20000 --years 10 --seed 1` for a summary.
"""

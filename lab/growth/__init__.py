"""What a month costs at any size: the real feed and token manager, behind a played CDN or bare, on a passed-in clock.

A thousand million views cannot be drawn one by one, and need not be: while an answer is fresh, no view reaches what is
behind it, and the first one after that comes, as with all Poisson visitors, an exponential waiting time later. So the
simulation jumps from one view that matters to the next. Some days are played and taken for a month.

- **Behind a CDN**: each region keeps a page for `s-maxage`; the first view after that has it asked for anew, which is
  one invocation of a function. Each region has instances of its own. They follow the load: a request takes the first
  that is not busy, else it starts another. Or there are so many, asked at random: the worst there is for what each of
  them remembers. One that was not asked for ten minutes is gone.
- **Bare**: each view reaches a server that lives on. It hands out finished pages for as long as it trusts its copy.

Run `python -m lab.growth` for docs/scaling.md and its drawing.
"""

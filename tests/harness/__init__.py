"""What tests and measurements share. Start here when you write a test.

=============  ======================================================================================================
`clock`        `MovingClock`, the clock of nearly every test: it moves only when it is read or told to.
`variables`    The environment variables of a deployment that talks to the fake Instagram and a store.
`site`         `Site`: tokens, feed and pictures without Flask, as many processes of them as a test wants.
`deployment`   `Deployment`: the whole app in this process, over HTTP, with faults at will.
`gunicorn`     The app as it is shipped: gunicorn in processes of its own, on the real clock.
`stores`       `innermost` finds the store behind its wrappers, `close` ends its connections.
`visitor`      `Visitor` asks through Flask's test client, `HttpVisitor` over HTTP.
`owner`        `Owner` asks the protected routes; `run_command` types `flask igfeed …`.
`app_server`   Any WSGI app behind an HTTP server, for as long as a ``with`` block lasts.
`leaks`        `LeakFinder` says where a secret got out.
`hostile`      Texts and addresses as an attacker writes them.
`odd`          Values that a damaged document may hold.
`disks`        File systems that are full or read-only.
=============  ======================================================================================================

The services that igfeed talks to are next door, in `tests.servers`.
"""
